import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Engine, EngineTransaction } from '../../engine/index.ts'
import { IdentityError } from './identity-error.ts'
import {
  accessKeyKey, accessKeyRange, accountKey, decodeAccessKey, decodeAccount, encodeAccessKey, isPlain, type AccessKeyRecord,
} from './identity-records.ts'
import { epochKey, ownedKeyKey, ownedKeyRange } from './iam-records.ts'
import { bumpEpoch, iamReader, randomId } from './iam-rows.ts'
import type { SecretBox } from './secret-box.ts'

export interface AccessKeyParts {
  readonly engine: Pick<Engine, 'transact' | 'extensions'>
  readonly box: SecretBox
  readonly clock: Clock
  readonly random: Random
  /** The operator's key; configured, never stored. */
  readonly root: { readonly user: string; readonly password: string }
}

/** Whose access keys: an account's own, or a user's. */
export interface KeyOwner {
  readonly accountName: string
  readonly accountId: string
  /** Undefined: the account itself. */
  readonly userName: string | undefined
}

export interface NewAccessKey extends Partial<Pick<AccessKeyRecord, 'accessKeyId' | 'secretAccessKey' | 'description' | 'expiresAtMs' | 'policy'>> {
  readonly owner: KeyOwner
  /** How many the owner may have. */
  readonly limit: number
}

export type AccessKeyChange = Partial<Pick<AccessKeyRecord, 'status' | 'description'>>

type Rows = EngineTransaction['extensions']

/** The access keys of users and accounts. Each change is one commit, and holds for the next request on any worker. */
export interface AccessKeys {
  /** The secret is shown once: here. `NoSuchUser`, `TooManyKeys`, `AccessKeyTaken`. */
  create(key: NewAccessKey): Promise<AccessKeyRecord>
  /** Creates the account's key, or replaces its secret. `AccessKeyTaken`. */
  ensure(accountName: string, accessKeyId: string, secretAccessKey: string): Promise<void>
  get(accessKeyId: string): Promise<AccessKeyRecord | undefined>
  list(owner: KeyOwner, page: { readonly after?: string; readonly limit: number }): Promise<AccessKeyRecord[]>
  /** `NoSuchKey` unless it is the owner's. */
  change(owner: KeyOwner, accessKeyId: string, change: AccessKeyChange): Promise<void>
  delete(owner: KeyOwner, accessKeyId: string): Promise<void>
  /** Within a transaction: the keys of a user who gets another name. */
  moveKeys(rows: Rows, owner: KeyOwner, userName: string): Promise<void>
  /** Seals the secrets that an older version stored in the clear, and indexes their keys. Repeated without effect. */
  sealPlain(): Promise<{ readonly sealed: number }>
}

export function createAccessKeys(parts: AccessKeyParts): AccessKeys {
  const { engine, box, clock, random, root } = parts
  const put = (rows: Rows, accountId: string, record: AccessKeyRecord): void => {
    rows.put(accessKeyKey(record.accessKeyId), encodeAccessKey(record, box))
    rows.put(ownedKeyKey(accountId, record.userName ?? '', record.accessKeyId), Buffer.of(1))
    bumpEpoch(rows, accountId, random)
  }
  const read = async (rows: Pick<Rows, 'get'>, accessKeyId: string): Promise<AccessKeyRecord | undefined> => {
    const value = await rows.get(accessKeyKey(accessKeyId))
    return value === undefined ? undefined : decodeAccessKey(value, box)
  }
  const requireOwned = async (rows: Rows, { accountName, userName }: KeyOwner, accessKeyId: string): Promise<AccessKeyRecord> => {
    const record = accessKeyId.length <= maxAccessKeyIdCharacters ? await read(rows, accessKeyId) : undefined
    if (record?.accountName !== accountName || record.userName?.toLowerCase() !== userName?.toLowerCase()) {
      throw new IdentityError('NoSuchKey', `The Access Key with id ${accessKeyId} cannot be found.`)
    }
    return record
  }

  return {
    create: key => engine.transact(async ({ extensions: rows }) => {
      const record = await planKey(rows, key, parts)
      put(rows, key.owner.accountId, record)
      return record
    }),
    ensure: (accountName, accessKeyId, secretAccessKey) => engine.transact(async ({ extensions: rows }) => {
      if (accessKeyId === root.user) throw new IdentityError('AccessKeyTaken', `${accessKeyId} is the root user`)
      const stored = await read(rows, accessKeyId)
      if (stored !== undefined && (stored.accountName !== accountName || stored.userName !== undefined)) {
        throw new IdentityError('AccessKeyTaken', `${accessKeyId} belongs to another account`)
      }
      const account = await rows.get(accountKey(accountName))
      if (account === undefined) throw new IdentityError('NoSuchAccount', `there is no account ${accountName}`)
      if (stored?.secretAccessKey === secretAccessKey) return
      put(rows, decodeAccount(account).accountId, { status: 'Active', createdAtMs: clock.nowMs(), ...stored, accessKeyId, accountName, secretAccessKey })
    }),
    get: accessKeyId => read(engine.extensions, accessKeyId),
    async list({ accountId, userName = '' }, { after, limit }) {
      const { start, end } = ownedKeyRange(accountId, userName)
      const rows = await engine.extensions.list({ start: after === undefined ? start : Buffer.concat([start, Buffer.from(after), Buffer.of(0)]), end, limit })
      const records = await Promise.all(rows.map(({ key }) => read(engine.extensions, key.toString('utf8', start.length))))
      return records.filter(record => record !== undefined)
    },
    change: (owner, accessKeyId, change) => engine.transact(async ({ extensions: rows }) => {
      put(rows, owner.accountId, { ...(await requireOwned(rows, owner, accessKeyId)), ...change })
    }),
    delete: (owner, accessKeyId) => engine.transact(async ({ extensions: rows }) => {
      await requireOwned(rows, owner, accessKeyId)
      deleteKeyRows(rows, owner, accessKeyId)
      bumpEpoch(rows, owner.accountId, random)
    }),
    async moveKeys(rows, owner, userName) {
      const { start, end } = ownedKeyRange(owner.accountId, owner.userName ?? '')
      for (const { key } of await rows.list({ start, end, limit: 100 })) {
        const record = await requireOwned(rows, owner, key.toString('utf8', start.length))
        deleteKeyRows(rows, owner, record.accessKeyId)
        put(rows, owner.accountId, { ...record, userName })
      }
    },
    sealPlain: () => sealRows(parts, put),
  }
}

async function sealRows(parts: AccessKeyParts, put: (rows: Rows, accountId: string, record: AccessKeyRecord) => void): Promise<{ readonly sealed: number }> {
  let sealed = 0
  let after = accessKeyRange.start
  for (;;) {
    const rows = await parts.engine.extensions.list({ start: after, end: accessKeyRange.end, limit: 500 })
    for (const { key, value } of rows) if (isPlain(value)) sealed += await sealRow(parts, key, put)
    const last = rows.at(-1)
    if (last === undefined) return { sealed }
    after = Buffer.concat([last.key, Buffer.of(0)])
  }
}

function deleteKeyRows(rows: Rows, { accountId, userName }: KeyOwner, accessKeyId: string): void {
  rows.delete(accessKeyKey(accessKeyId))
  rows.delete(ownedKeyKey(accountId, userName ?? '', accessKeyId))
}

/** IAM's own limit. A request's id is not trusted to be short enough for a metadata key. */
export const maxAccessKeyIdCharacters = 128

async function planKey(rows: Rows, { owner, limit, accessKeyId, secretAccessKey, ...rest }: NewAccessKey, { clock, random, root }: AccessKeyParts): Promise<AccessKeyRecord> {
  const { accountName, accountId, userName } = owner
  if (userName !== undefined && (await iamReader(rows, accountId).get('user', userName)) === undefined) throw new IdentityError('NoSuchUser', `there is no user ${userName}`)
  const owned = await rows.list({ ...ownedKeyRange(accountId, userName ?? ''), limit })
  if (owned.length >= limit) throw new IdentityError('TooManyKeys', `Cannot exceed quota for AccessKeysPerUser: ${limit}`)
  // Of two that are made at once the second commit fails by this, and counts again.
  await rows.get(epochKey(accountId))
  const id = accessKeyId ?? `AKIA${randomId(random, 16)}`
  if (id === root.user || (await rows.get(accessKeyKey(id))) !== undefined) throw new IdentityError('AccessKeyTaken', `${id} is taken`)
  return {
    ...rest,
    accessKeyId: id,
    accountName,
    secretAccessKey: secretAccessKey ?? Buffer.from(random.bytes(30)).toString('base64'),
    createdAtMs: clock.nowMs(),
    ...(userName === undefined ? {} : { userName }),
    status: 'Active',
  }
}

async function sealRow({ engine, box }: AccessKeyParts, key: Buffer, put: (rows: Rows, accountId: string, record: AccessKeyRecord) => void): Promise<number> {
  return engine.transact(async ({ extensions: rows }) => {
    const value = await rows.get(key)
    if (value === undefined || !isPlain(value)) return 0
    const record = decodeAccessKey(value, box)
    const account = await rows.get(accountKey(record.accountName))
    if (account === undefined) return 0
    put(rows, decodeAccount(account).accountId, record)
    return 1
  })
}
