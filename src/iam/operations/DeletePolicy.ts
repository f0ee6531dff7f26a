import { QueryError } from '../../wire/query-error.ts'
import { refuseBuiltIn, requirePolicy } from '../entities.ts'
import { attachmentsOf, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html. Errors: NoSuchEntity, DeleteConflict. */
export const DeletePolicy: Operation<'DeletePolicy'> = {
  honours: ['PolicyArn'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn }, { identity, accountId }) {
    refuseBuiltIn(PolicyArn)
    await identity.changeIam(accountId, async rows => {
      const policy = await requirePolicy(rows, PolicyArn)
      if (policy.versions.length > 1) throw new QueryError('DeleteConflict', 'This policy has more than one version. Before you delete a policy, you must delete the policy’s versions.')
      if ((await attachmentsOf(rows, PolicyArn ?? '')) > 0) throw new QueryError('DeleteConflict', 'Cannot delete a policy attached to entities.')
      rows.delete('policy', policy.name)
    })
    return {}
  },
}
