import { badRequest } from '../../errors.ts'
import { fileOf } from '../../rows/rows.ts'
import type { SnapshotMode } from '../../spec/table-metadata.ts'
import { requireTable } from '../../tables.ts'
import { matchesETag, tableETag } from '../etag.ts'
import { referencedBy } from '../referenced-by.ts'
import { tableOf, type OperationInput, type Query } from '../operation.ts'

/**
 * GET tables/{table}, with `snapshots=all|refs`, `If-None-Match` and `referenced-by` (which names
 * views, and changes nothing of the answer). Errors: NoSuchTable, NotFound (its metadata file is gone).
 */
export const loadTable: Query = {
  kind: 'query',
  async run(input, { store }) {
    const identifier = tableOf(input)
    const mode = snapshotModeOf(input)
    referencedBy(input)
    const file = fileOf(await requireTable(store, input.warehouse, identifier))
    if (matchesETag(input.headers['if-none-match'], tableETag(file, mode))) return { kind: 'notModified' }
    return { kind: 'table', identifier, ...file, form: 'load', mode }
  },
}

function snapshotModeOf(input: OperationInput): SnapshotMode {
  const mode = input.query['snapshots']?.toLowerCase() ?? 'all'
  if (mode !== 'all' && mode !== 'refs') throw badRequest(`Invalid snapshots: ${mode}`)
  return mode
}
