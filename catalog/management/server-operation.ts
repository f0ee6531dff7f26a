import type { Json } from '../json/json.ts'
import type { Caller, CatalogContext } from '../context.ts'
import type { Outcome } from '../rest/operation.ts'

/** A request that concerns no one warehouse. */
export interface ServerInput {
  readonly operationId: string
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  readonly body: Json | undefined
  readonly caller: Caller
}

/** An operation on the server itself: it sees to rights and to its transaction. */
export interface ServerOperation {
  readonly kind: 'server'
  run(input: ServerInput, context: CatalogContext): Promise<Outcome>
}
