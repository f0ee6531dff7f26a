import { asObject, oneOf } from '../../json/decode.ts'
import { dayMs } from '../../../base/units.ts'
import { putExpiring } from '../../rows/expiry.ts'
import { key, timeText } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { requireTable } from '../../tables.ts'
import { decodeBody, tableOf, type Mutation } from '../operation.ts'

const metricsLifetimeMs = 30 * dayMs

const decodeReportType = oneOf('scan-report', 'commit-report')

/** POST tables/{table}/metrics: a report on a scan or a commit, kept as it came. Errors: NoSuchTable, BadRequest. */
export const reportMetrics: Mutation = {
  kind: 'mutation',
  prepare(input, { clock, random }) {
    const { warehouse } = input
    const identifier = tableOf(input)
    const report = decodeBody(asObject, input)
    decodeBody((body, at) => decodeReportType(asObject(body, at)['report-type'], 'report-type'), input)
    const nonce = Buffer.from(random.bytes(8)).toString('hex')
    return async (tx) => {
      const { uuid } = await requireTable(tx, warehouse, identifier)
      const receivedAtMs = clock.nowMs()
      putExpiring(tx, key('m', warehouse.name, uuid, `${timeText(receivedAtMs)}-${nonce}`), encodeRow({ receivedAtMs, identifier, report }), receivedAtMs + metricsLifetimeMs)
      return { kind: 'empty' }
    }
  },
}
