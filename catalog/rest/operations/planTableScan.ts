import { hourMs } from '../../../base/units.ts'
import { newUuid } from '../../ids.ts'
import { putExpiring } from '../../rows/expiry.ts'
import { encodeRow } from '../../rows/rows.ts'
import { readScanMetadata } from '../../scan/scan-metadata.ts'
import { planKey, type PlanRow } from '../../scan/scan-plans.ts'
import { decodeScanRequest, pinned, scanRequestJson, understand } from '../../scan/scan-request.ts'
import { requireTable } from '../../tables.ts'
import { decodeRequest, tableOf, type Mutation } from '../operation.ts'

const planLifetimeMs = hourMs

/**
 * POST tables/{table}/plan: plans a scan at once. A scan over many manifests answers with plan
 * tasks, each to be fetched. Errors: NoSuchTable, BadRequest (a snapshot, column or filter that is not there).
 */
export const planTableScan: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const identifier = tableOf(input)
    const request = decodeRequest(decodeScanRequest, input.body ?? {})
    const planId = newUuid(context.random)
    return async (tx) => {
      const table = await requireTable(tx, warehouse, identifier)
      const metadata = await readScanMetadata(context, table, request)
      understand(request, metadata)
      const createdAtMs = context.clock.nowMs()
      const row: PlanRow = { tableUuid: table.uuid, request: scanRequestJson(pinned(request, metadata)), createdAtMs }
      putExpiring(tx, planKey(warehouse.name, planId), encodeRow(row), createdAtMs + planLifetimeMs)
      return { kind: 'plan', identifier, planId }
    }
  },
}
