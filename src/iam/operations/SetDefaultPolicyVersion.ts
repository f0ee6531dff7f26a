import { QueryError } from '../../wire/query-error.ts'
import { changingPolicy, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html. Errors: NoSuchEntity. */
export const SetDefaultPolicyVersion: Operation<'SetDefaultPolicyVersion'> = {
  honours: ['PolicyArn', 'VersionId'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn, VersionId = '' }, { identity, accountId, nowMs }) {
    await identity.changeIam(accountId, changingPolicy(PolicyArn, policy => {
      if (!policy.versions.some(({ versionId }) => versionId === VersionId)) throw new QueryError('NoSuchEntity', `Policy ${PolicyArn ?? ''} version ${VersionId} does not exist or is not attachable.`)
      return { ...policy, defaultVersionId: VersionId, updatedAtMs: nowMs }
    }))
    return {}
  },
}
