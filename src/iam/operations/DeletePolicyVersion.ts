import { QueryError } from '../../wire/query-error.ts'
import { changingPolicy, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html. Errors: NoSuchEntity, DeleteConflict. */
export const DeletePolicyVersion: Operation<'DeletePolicyVersion'> = {
  honours: ['PolicyArn', 'VersionId'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn, VersionId }, { identity, accountId }) {
    await identity.changeIam(accountId, changingPolicy(PolicyArn, policy => {
      if (policy.defaultVersionId === VersionId) throw new QueryError('DeleteConflict', 'Cannot delete the default version of a policy.')
      const versions = policy.versions.filter(({ versionId }) => versionId !== VersionId)
      if (versions.length === policy.versions.length) throw new QueryError('NoSuchEntity', `Policy ${PolicyArn ?? ''} version ${VersionId ?? ''} does not exist or is not attachable.`)
      return { ...policy, versions }
    }))
    return {}
  },
}
