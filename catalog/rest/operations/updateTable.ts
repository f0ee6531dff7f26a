import { tableOf, type Mutation } from '../operation.ts'
import { commitTable, decodeTableCommit, tableTurn } from '../table-commit.ts'
import { decodeBody } from '../operation.ts'

/**
 * POST tables/{table}: the commit. Requirements are checked against the table as it is when the
 * transaction commits, so changes that do not conflict are retried here and not by the client.
 * Errors: NoSuchTable, CommitFailed, Validation, BadRequest (an unknown update or requirement).
 */
export const updateTable: Mutation = {
  kind: 'mutation',
  turnsOf: (input) => [tableTurn(input.warehouse, tableOf(input))],
  prepare(input, context) {
    const identifier = tableOf(input)
    const commit = decodeBody(decodeTableCommit, input)
    return async (tx) => {
      const metadataLocation = await commitTable(tx, context, input.warehouse, identifier, commit)
      return { kind: 'table', identifier, metadataLocation, form: 'commit' }
    }
  },
}
