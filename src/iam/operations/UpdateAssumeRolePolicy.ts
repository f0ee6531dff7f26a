import { checkDocument, trustLimit } from '../documents.ts'
import { changing } from '../entities.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html. Sessions that there are go on. Errors: NoSuchEntity, MalformedPolicyDocument. */
export const UpdateAssumeRolePolicy: Operation<'UpdateAssumeRolePolicy'> = {
  honours: ['RoleName', 'PolicyDocument'],
  resource: ({ RoleName }) => `role/${RoleName ?? ''}`,
  async run({ RoleName, PolicyDocument = '' }, { identity, accountId, policies }) {
    const trust = checkDocument(policies, PolicyDocument, 'trust', trustLimit)
    await identity.changeIam(accountId, changing('role', RoleName, role => ({ ...role, trust })))
    return {}
  },
}
