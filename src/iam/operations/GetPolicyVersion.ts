import { QueryError } from '../../wire/query-error.ts'
import { noPolicy, requireAnyPolicy } from '../entities.ts'
import { firstVersion, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { versionView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html. Errors: NoSuchEntity. */
export const GetPolicyVersion: Operation<'GetPolicyVersion'> = {
  honours: ['PolicyArn', 'VersionId'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn, VersionId }, { iam }) {
    const any = await requireAnyPolicy(iam, PolicyArn)
    if (any.kind === 'builtIn') {
      if (VersionId !== 'v1') throw noPolicy(PolicyArn)
      return { PolicyVersion: versionView(firstVersion(any.policy.document, 0), 'v1', 'whole') }
    }
    const version = any.policy.versions.find(each => each.versionId === VersionId)
    if (version === undefined) throw new QueryError('NoSuchEntity', `Policy ${PolicyArn ?? ''} version ${VersionId ?? ''} does not exist or is not attachable.`)
    return { PolicyVersion: versionView(version, any.policy.defaultVersionId, 'whole') }
  },
}
