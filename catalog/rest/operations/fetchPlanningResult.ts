import { planningResult } from '../../scan/scan-plans.ts'
import { tableOf, type Query } from '../operation.ts'

/** GET tables/{table}/plan/{plan-id}. Errors: NoSuchTable, NoSuchPlanId. */
export const fetchPlanningResult: Query = {
  kind: 'query',
  async run(input, context) {
    return { kind: 'json', body: await planningResult(context, input.warehouse, tableOf(input), input.path['plan-id'] ?? '') }
  },
}
