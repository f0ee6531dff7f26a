import type { Operation } from './operation.ts'
import { AssumeRole } from './operations/AssumeRole.ts'
import { AssumeRoleWithWebIdentity } from './operations/AssumeRoleWithWebIdentity.ts'
import { AssumeRoleWithLDAPIdentity } from './operations/AssumeRoleWithLDAPIdentity.ts'
import { AssumeRoleWithCustomToken } from './operations/AssumeRoleWithCustomToken.ts'
import { AssumeRoleWithCertificate } from './operations/AssumeRoleWithCertificate.ts'
import { GetAccessKeyInfo } from './operations/GetAccessKeyInfo.ts'
import { GetCallerIdentity } from './operations/GetCallerIdentity.ts'
import { GetSessionToken } from './operations/GetSessionToken.ts'

/** The operations of STS that are served; the others of its model are known, and answered with `NotImplemented`. */
export const operations = {
  AssumeRole,
  AssumeRoleWithCertificate,
  AssumeRoleWithCustomToken,
  AssumeRoleWithLDAPIdentity,
  AssumeRoleWithWebIdentity,
  GetAccessKeyInfo,
  GetCallerIdentity,
  GetSessionToken,
} satisfies Readonly<Record<string, Operation<never, object>>>
