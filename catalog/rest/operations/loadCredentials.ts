import { requirePlan } from '../../scan/scan-plans.ts'
import { requireTable } from '../../tables.ts'
import { tableOf, type Query } from '../operation.ts'
import { storageCredentials, vendCredentials } from '../vended-credentials.ts'

/**
 * GET tables/{table}/credentials: short-lived credentials for the table's files, to read or to write as the caller may
 * (specification: `LoadCredentialsResponse`). None where the folder is not the table's alone. Errors: NoSuchTable, NoSuchPlanId.
 */
export const loadCredentials: Query = {
  kind: 'query',
  async run(input, context) {
    const identifier = tableOf(input)
    const { location } = await requireTable(context.store, input.warehouse, identifier)
    const planId = input.query['planId']
    if (planId !== undefined) await requirePlan(context.store, input.warehouse, identifier, planId, 'NoSuchPlanId')
    const credentials = await vendCredentials(context, input, { identifier, location, need: 'whatever is allowed' })
    return { kind: 'json', body: { 'storage-credentials': [], ...storageCredentials(credentials) }, headers: { 'cache-control': 'no-store' } }
  },
}
