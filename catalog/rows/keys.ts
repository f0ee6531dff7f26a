import { must } from '../../base/assert.ts'
import type { Namespace, TableIdentifier } from '../spec/identifier.ts'

/**
 * Keys of the catalog's rows. A key is a kind (one letter) and strings, each ended by a zero byte
 * that the string itself cannot contain (0 and 1 are escaped), so that keys sort as their parts do:
 * by warehouse, by the levels of the namespace, by name. A list of levels ends in one more zero
 * byte, which sorts a namespace's own rows before those of the namespaces below it.
 */
export type RowKind =
  | 'w' /** warehouse: name */
  | 'n' /** namespace: warehouse, levels of its parent, own level */
  | 't' /** table: warehouse, namespace, name */
  | 'v' /** view: warehouse, namespace, name */
  | 'e' /** expiry: time, key of the row in hex */
  | 'f' /** function: warehouse, namespace, name */
  | 'd' /** dropped table or view that can be restored: warehouse, uuid */
  | 'i' /** idempotency record: caller, key */
  | 'j' /** idempotency expiry: time, caller, key */
  | 'm' /** metrics report: warehouse, table uuid, time and random */
  | 'p' /** scan plan: warehouse, plan id */
  | 'q' /** order to purge: warehouse, table uuid */

export interface RowRange {
  readonly start: Uint8Array
  readonly end: Uint8Array
}

export function warehouseKey(name: string): Buffer {
  return key('w', name)
}

export function namespaceKey(warehouse: string, namespace: Namespace): Buffer {
  const name = must(namespace.at(-1), 'a namespace has a level')
  return Buffer.concat([childrenPrefix('n', warehouse, namespace.slice(0, -1)), part(name)])
}

export function tableKey(warehouse: string, { namespace, name }: TableIdentifier): Buffer {
  return Buffer.concat([childrenPrefix('t', warehouse, namespace), part(name)])
}

export function viewKey(warehouse: string, { namespace, name }: TableIdentifier): Buffer {
  return Buffer.concat([childrenPrefix('v', warehouse, namespace), part(name)])
}

export function functionKey(warehouse: string, { namespace, name }: TableIdentifier): Buffer {
  return Buffer.concat([childrenPrefix('f', warehouse, namespace), part(name)])
}

/** Sorts as the times do. */
export function timeText(timeMs: number): string {
  return String(timeMs).padStart(15, '0')
}

/** Any key of a kind made of plain strings. */
export function key(kind: RowKind, ...parts: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(kind), ...parts.map(part)])
}

/** What comes before the own name in the keys of a namespace's children of one kind. */
export function childrenPrefix(kind: 'n' | 't' | 'v' | 'f', warehouse: string, namespace: Namespace): Buffer {
  return Buffer.concat([key(kind, warehouse, ...namespace), Buffer.from([0])])
}

/** The rows whose keys start with `prefix`; `after` (a name) leaves out it and what sorts before it. */
export function rangeOf(prefix: Buffer, after?: string): RowRange {
  const start = after === undefined ? prefix : Buffer.concat([prefix, part(after), Buffer.from([0])])
  return { start, end: successor(prefix) }
}

/** The last string of a key. */
export function nameOfKey(rowKey: Uint8Array): string {
  const bytes = Buffer.from(rowKey.buffer, rowKey.byteOffset, rowKey.byteLength)
  const start = bytes.lastIndexOf(0, bytes.length - 2) + 1
  return unescape(bytes.subarray(start, -1))
}

/** All strings of a key, for people. */
export function keyText(rowKey: Uint8Array): string {
  const bytes = Buffer.from(rowKey.buffer, rowKey.byteOffset + 1, rowKey.byteLength - 1)
  const parts: string[] = []
  for (let start = 0, end = bytes.indexOf(0); end !== -1; start = end + 1, end = bytes.indexOf(0, start)) {
    if (end > start) parts.push(unescape(bytes.subarray(start, end)))
  }
  return parts.join('.')
}

function part(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  if (!bytes.some((byte) => byte <= 1)) return Buffer.concat([bytes, Buffer.from([0])])
  return Buffer.from([...[...bytes].flatMap((byte) => (byte <= 1 ? [1, byte + 1] : [byte])), 0])
}

function unescape(bytes: Buffer): string {
  if (!bytes.includes(1)) return bytes.toString('utf8')
  const plain: number[] = []
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    plain.push(byte === 1 ? (bytes[++index] ?? 1) - 1 : byte)
  }
  return Buffer.from(plain).toString('utf8')
}

/** The first key after all keys with this prefix. */
function successor(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  for (let index = end.length - 1; index >= 0; index--) {
    const byte = end[index] ?? 0xff
    if (byte < 0xff) {
      end[index] = byte + 1
      return end.subarray(0, index + 1)
    }
  }
  return Buffer.from([0xff])
}
