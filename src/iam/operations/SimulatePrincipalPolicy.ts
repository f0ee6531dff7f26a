import { policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { simulate, simulatedPrincipal } from '../simulation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html: what the policies of a user, group or role decide. Errors: NoSuchEntity, InvalidInput. */
export const SimulatePrincipalPolicy: Operation<'SimulatePrincipalPolicy'> = {
  honours: ['PolicySourceArn', 'PolicyInputList', 'PermissionsBoundaryPolicyInputList', 'ActionNames', 'ResourceArns', 'ResourcePolicy', 'ResourceOwner', 'CallerArn', 'ContextEntries', 'Marker', 'MaxItems'],
  resource: ({ PolicySourceArn }) => policyResource(PolicySourceArn),
  run: async (input, call) => simulate(input, await simulatedPrincipal(input.PolicySourceArn, call), call),
}
