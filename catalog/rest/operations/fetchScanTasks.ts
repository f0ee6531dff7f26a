import { object, string } from '../../json/decode.ts'
import { planTaskResult } from '../../scan/scan-plans.ts'
import { decodeBody, tableOf, type Query } from '../operation.ts'

const decodeRequest = object({ 'plan-task': string })

/** POST tables/{table}/tasks: reads only, so a repeated request needs no record. Errors: NoSuchTable, NoSuchPlanTask. */
export const fetchScanTasks: Query = {
  kind: 'query',
  async run(input, context) {
    const { 'plan-task': planTask } = decodeBody(decodeRequest, input)
    return { kind: 'json', body: await planTaskResult(context, input.warehouse, tableOf(input), planTask) }
  },
}
