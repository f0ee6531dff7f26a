import { badRequest } from '../../errors.ts'
import { array, asObject, object, type Decoder } from '../../json/decode.ts'
import { decodeIdentifier, identifierText, type TableIdentifier } from '../../spec/identifier.ts'
import { decodeBody, type Mutation } from '../operation.ts'
import { commitTable, decodeTableCommit, tableTurn, type TableCommit } from '../table-commit.ts'

const decodeChange: Decoder<{ readonly identifier: TableIdentifier; readonly commit: TableCommit }> = (value, at) => ({
  identifier: decodeIdentifier(asObject(value, at)['identifier'], `${at}.identifier`),
  commit: decodeTableCommit(value, at),
})

const decodeRequest = object({ 'table-changes': array(decodeChange) })

const decodeTables = object({ 'table-changes': array(object({ identifier: decodeIdentifier })) })

const maxTables = 1000

/**
 * POST transactions/commit: changes to several tables, all of them or none, in one commit of the
 * store. Errors: NoSuchTable, CommitFailed, Validation, BadRequest (a table that is named twice).
 */
export const commitTransaction: Mutation = {
  kind: 'mutation',
  turnsOf: (input) => decodeBody(decodeTables, input)['table-changes'].map(({ identifier }) => tableTurn(input.warehouse, identifier)),
  prepare(input, context) {
    const changes = decodeBody(decodeRequest, input)['table-changes']
    if (changes.length > maxTables) throw badRequest(`A transaction may change ${maxTables} tables at most`)
    const names = new Set(changes.map(({ identifier }) => JSON.stringify([identifier.namespace, identifier.name])))
    if (names.size < changes.length) {
      throw badRequest(`A transaction may name each table once: ${changes.map(({ identifier }) => identifierText(identifier)).join(', ')}`)
    }
    return async (tx) => {
      for (const { identifier, commit } of changes) await commitTable(tx, context, input.warehouse, identifier, commit)
      return { kind: 'empty' }
    }
  },
}
