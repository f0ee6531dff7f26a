import type { Random } from '../../base/random.ts'
import type { Engine, EngineTransaction, ExtensionReader } from '../../engine/index.ts'
import { decodeIam, encodeIam, epochKey, iamKey, iamRange, idPrefixes, type IamKind, type IamRecords } from './iam-records.ts'

/** One account's IAM rows, read as they are now. */
export interface IamReader {
  readonly accountId: string
  get<K extends IamKind>(kind: K, name: string): Promise<IamRecords[K] | undefined>
  /** In name order, names after `after`, at most `limit`. */
  list<K extends IamKind>(kind: K, page: { readonly after?: string; readonly limit: number }): Promise<IamRecords[K][]>
  /** The names under an index: a group's members, a policy's attachments. In order, after `after`. */
  members(index: IndexName, page: { readonly after?: string; readonly limit: number }): Promise<string[]>
}

/** The same within one transaction; own writes are not seen. */
export interface IamRows extends IamReader {
  put<K extends IamKind>(kind: K, record: IamRecords[K]): void
  delete(kind: IamKind, name: string): void
  addMember(index: IndexName, member: string): void
  removeMember(index: IndexName, member: string): void
  /** The commit fails unless the index is empty then. */
  requireNoMembers(index: IndexName): void
  /** The rows of this deployment that are not IAM's: access keys. */
  readonly extensions: EngineTransaction['extensions']
  newId(kind: IamKind): string
}

/** `group/NAME` holds user names, `attachment/POLICYARN` holds `user/NAME`, `group/NAME` and `role/NAME`. */
export type IndexName = `group/${string}` | `attachment/${string}`

export function iamReader(extensions: ExtensionReader, accountId: string): IamReader {
  return {
    accountId,
    async get<K extends IamKind>(kind: K, name: string) {
      if (name.length > maxNameCharacters) return undefined
      const value = await extensions.get(iamKey(accountId, kind, name))
      return value === undefined ? undefined : decodeIam<K>(value)
    },
    async list<K extends IamKind>(kind: K, { after, limit }: { readonly after?: string; readonly limit: number }) {
      const { start, end } = iamRange(accountId, kind)
      const rows = await extensions.list({ start: after === undefined ? start : following(iamKey(accountId, kind, after)), end, limit })
      return rows.map(({ value }) => decodeIam<K>(value))
    },
    async members(index, { after, limit }) {
      const prefix = indexPrefix(accountId, index)
      const rows = await extensions.list({ start: following(Buffer.concat([prefix, Buffer.from(after ?? '')])), end: pastPrefix(prefix), limit })
      return rows.map(({ key }) => key.toString('utf8', prefix.length))
    },
  }
}

/** Names of IAM have 128 characters at most, providers' URLs 255. */
const maxNameCharacters = 255

export function iamRows(extensions: EngineTransaction['extensions'], accountId: string, random: Random): IamRows {
  return {
    ...iamReader(extensions, accountId),
    extensions,
    put: (kind, record) => extensions.put(iamKey(accountId, kind, record.name), encodeIam(record)),
    delete: (kind, name) => extensions.delete(iamKey(accountId, kind, name)),
    addMember: (index, member) => extensions.put(Buffer.concat([indexPrefix(accountId, index), Buffer.from(member)]), Buffer.of(1)),
    removeMember: (index, member) => extensions.delete(Buffer.concat([indexPrefix(accountId, index), Buffer.from(member)])),
    requireNoMembers(index) {
      const prefix = indexPrefix(accountId, index)
      extensions.requireEmpty({ start: prefix, end: pastPrefix(prefix) })
    },
    newId: kind => idPrefixes[kind] + randomId(random, 17),
  }
}

/**
 * Changes an account's IAM in one commit, after which nothing that was remembered of the account holds any more, on
 * any worker. `body` may run again, as in every transaction.
 */
export function changeIam<T>({ engine, random }: { readonly engine: Pick<Engine, 'transact'>; readonly random: Random }, accountId: string, body: (rows: IamRows) => Promise<T>): Promise<T> {
  return engine.transact(async ({ extensions }) => {
    // One change of an account after the other: what `body` found in lists holds when it commits.
    await extensions.get(epochKey(accountId))
    const result = await body(iamRows(extensions, accountId, random))
    bumpEpoch(extensions, accountId, random)
    return result
  })
}

export function bumpEpoch(extensions: EngineTransaction['extensions'], accountId: string, random: Random): void {
  extensions.put(epochKey(accountId), Buffer.from(random.bytes(16)))
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Upper-case letters and digits, 5 bits each. */
export function randomId(random: Random, characters: number): string {
  return Array.from(random.bytes(characters), byte => base32[byte & 31]).join('')
}

function indexPrefix(accountId: string, index: IndexName): Buffer {
  return Buffer.from(`iam/${accountId}/index/${index.toLowerCase()}\n`)
}

const following = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0)])

/** `prefix` ends in a line feed, which no name holds: the next byte ends the range. */
function pastPrefix(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  end[end.length - 1] = 0x0b
  return end
}
