import { planKey, requirePlan } from '../../scan/scan-plans.ts'
import { tableOf, type Mutation } from '../operation.ts'

/** DELETE tables/{table}/plan/{plan-id}: the plan and its tasks are gone. Errors: NoSuchTable, NoSuchPlanId. */
export const cancelPlanning: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const identifier = tableOf(input)
    const planId = input.path['plan-id'] ?? ''
    return async (tx) => {
      await requirePlan(tx, input.warehouse, identifier, planId, 'NoSuchPlanId')
      tx.delete(planKey(input.warehouse.name, planId))
      return { kind: 'empty' }
    }
  },
}
