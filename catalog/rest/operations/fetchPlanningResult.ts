import { planningResult } from '../../scan/scan-plans.ts'
import { planCredentials } from '../vended-credentials.ts'
import { tableOf, type Query } from '../operation.ts'

/** GET tables/{table}/plan/{plan-id}. Errors: NoSuchTable, NoSuchPlanId. */
export const fetchPlanningResult: Query = {
  kind: 'query',
  async run(input, context) {
    const identifier = tableOf(input)
    const result = await planningResult(context, input.warehouse, identifier, input.path['plan-id'] ?? '')
    return { kind: 'json', body: { ...result, ...(await planCredentials(context, input, identifier)) } }
  },
}
