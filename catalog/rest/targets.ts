import type { Target } from '../context.ts'
import { asObject, string } from '../json/decode.ts'
import type { Json, JsonObject } from '../json/json.ts'
import { checkIdentifier, decodeIdentifier, decodeNamespace, parseNamespaceText, type Namespace, type TableIdentifier } from '../spec/identifier.ts'
import { decodeRequest } from './operation.ts'

/** A request as far as it says what it is about. */
export interface TargetRequest {
  readonly operationId: string
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  readonly body: Json | undefined
}

/** Everything that a request reads, changes or makes, by the same readers that its operation uses. Throws `BadRequest`. */
export function targetsOf(request: TargetRequest): readonly Target[] {
  const { operationId, path, body } = request
  switch (operationId) {
    case 'renameTable':
    case 'renameView': {
      const kind = operationId === 'renameTable' ? 'table' : 'view'
      return [{ kind, role: 'itself', ...member(body, 'source') }, { kind, role: 'created', ...member(body, 'destination') }]
    }
    case 'commitTransaction':
      return changedTables(body)
    case 'createNamespace':
      return [{ kind: 'namespace', role: 'created', namespace: decodeMember(body, 'namespace', decodeNamespace), name: undefined }]
    case 'createTable':
      return [{ kind: 'table', role: 'created', namespace: namespaceIn(path), name: nameIn(body) }]
    case 'createView':
    case 'registerView':
      return [{ kind: 'view', role: 'created', namespace: namespaceIn(path), name: nameIn(body) }]
    case 'registerTable': {
      const created: Target = { kind: 'table', role: 'created', namespace: namespaceIn(path), name: nameIn(body) }
      return asObject(body ?? {}, '')['overwrite'] === true ? [created, { ...created, role: 'itself' }] : [created]
    }
    case 'undrop':
      return [{ kind: 'table', role: 'itself', namespace: [], name: undefined, uuid: path['uuid'] ?? '' }, ...restoredUnder(body)]
    case 'listNamespaces':
      return [listedParent(request)]
    default:
      return [pathTarget(request)]
  }
}

function pathTarget({ operationId, path, body }: TargetRequest): Target {
  for (const kind of ['table', 'view', 'function'] as const) {
    const name = path[kind]
    if (name === undefined) continue
    const identifier = { namespace: namespaceIn(path), name }
    checkIdentifier(identifier)
    return { kind, role: operationId === 'updateTable' ? roleOfCommit(body) : 'itself', ...identifier }
  }
  return path['namespace'] === undefined ? warehouseTarget : { kind: 'namespace', role: 'itself', namespace: namespaceIn(path), name: undefined }
}

export const warehouseTarget: Target = { kind: 'warehouse', role: 'itself', namespace: [], name: undefined }

function listedParent({ query: { parent } }: TargetRequest): Target {
  return parent === undefined || parent === '' ? warehouseTarget : { kind: 'namespace', role: 'itself', namespace: parseNamespaceText(parent), name: undefined }
}

/** A commit that asserts the creation makes the table. */
function roleOfCommit(commit: Json | undefined): Target['role'] {
  const requirements = asObject(commit ?? {}, '')['requirements']
  const asserts = Array.isArray(requirements) && requirements.some((requirement: Json) => (requirement as { type?: Json } | null)?.type === 'assert-create')
  return asserts ? 'created' : 'itself'
}

/** A transaction that names no table is about the warehouse: it is nobody's by default. */
function changedTables(body: Json | undefined): readonly Target[] {
  const changes = asObject(body ?? {}, '')['table-changes']
  if (!Array.isArray(changes) || changes.length === 0) return [warehouseTarget]
  return changes.map((change: Json) => ({ kind: 'table', role: roleOfCommit(change), ...member(change, 'identifier') }))
}

function restoredUnder(body: Json | undefined): readonly Target[] {
  const destination = asObject(body ?? {}, '')['destination']
  return destination === undefined || destination === null ? [] : [{ kind: 'table', role: 'created', ...decodeRequest(decodeIdentifier, destination) }]
}

const namespaceIn = (path: TargetRequest['path']): Namespace => parseNamespaceText(path['namespace'] ?? '')

const nameIn = (body: Json | undefined): string => decodeMember(body, 'name', string)

const member = (body: Json | undefined, name: string): TableIdentifier => decodeMember(body, name, decodeIdentifier)

function decodeMember<T>(body: Json | undefined, name: string, decode: (value: Json | undefined, at: string) => T): T {
  return decodeRequest(value => decode(asObject(value, '')[name], name), body ?? {})
}

/** The metadata file that a request registers. */
export function registeredLocation(body: Json | undefined): string | undefined {
  const location = isRecord(body) ? body['metadata-location'] : undefined
  return typeof location === 'string' ? location : undefined
}

/** Whether the storage request that is to be signed is something else than a read. */
export function signsWrite(body: Json | undefined): boolean {
  const method = isRecord(body) ? body['method'] : undefined
  return method !== 'GET' && method !== 'HEAD'
}

const isRecord = (body: Json | undefined): body is JsonObject => typeof body === 'object' && body !== null && !Array.isArray(body)
