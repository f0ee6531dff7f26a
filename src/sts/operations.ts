import type { Operation } from './operation.ts'
import { AssumeRole } from './operations/AssumeRole.ts'
import { GetAccessKeyInfo } from './operations/GetAccessKeyInfo.ts'
import { GetCallerIdentity } from './operations/GetCallerIdentity.ts'
import { GetSessionToken } from './operations/GetSessionToken.ts'

/** The operations of STS that are served; the others of its model are known, and answered with `NotImplemented`. */
export const operations = {
  AssumeRole,
  GetAccessKeyInfo,
  GetCallerIdentity,
  GetSessionToken,
} satisfies Readonly<Record<string, Operation<never, object>>>
