import { commitTable, createsTable, decodeTableCommit, tableTurn, type TableCommit } from '../table-commit.ts'
import { decodeBody, tableOf, type Mutation, type OperationInput } from '../operation.ts'

/**
 * POST tables/{table}: the commit. Requirements are checked against the table as it is when the
 * transaction commits, so changes that do not conflict are retried here and not by the client.
 * Errors: NoSuchTable, CommitFailed, Validation, BadRequest (an unknown update or requirement).
 */
export const updateTable: Mutation = {
  kind: 'mutation',
  turnsOf: (input) => [tableTurn(input.warehouse, tableOf(input))],
  commitOf(input) {
    const commit = commitIn(input)
    return createsTable(commit) ? undefined : { identifier: tableOf(input), commit }
  },
  prepare(input, context) {
    const identifier = tableOf(input)
    const commit = commitIn(input)
    return async (tx) => {
      return { kind: 'table', identifier, ...(await commitTable(tx, context, input.warehouse, identifier, commit)), form: 'commit' }
    }
  },
}

/** By the body: it is asked for twice. */
const commits = new WeakMap<object, TableCommit>()

function commitIn(input: OperationInput): TableCommit {
  const { body } = input
  const known = typeof body === 'object' && body !== null ? commits.get(body) : undefined
  if (known !== undefined) return known
  const commit = decodeBody(decodeTableCommit, input)
  if (typeof body === 'object' && body !== null) commits.set(body, commit)
  return commit
}
