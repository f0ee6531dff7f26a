import type { Operation } from '../operation.ts'
import { simulate } from '../simulation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html: what given policies decide. Errors: InvalidInput. */
export const SimulateCustomPolicy: Operation<'SimulateCustomPolicy'> = {
  honours: ['PolicyInputList', 'PermissionsBoundaryPolicyInputList', 'ActionNames', 'ResourceArns', 'ResourcePolicy', 'ResourceOwner', 'CallerArn', 'ContextEntries', 'Marker', 'MaxItems'],
  resource: () => '*',
  run: (input, call) => simulate(input, undefined, call),
}
