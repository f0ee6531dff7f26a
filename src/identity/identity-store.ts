import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Engine, EngineTransaction, ExtensionReader } from '../../engine/index.ts'
import { createAccessKeys, type AccessKeys } from './access-keys.ts'
import type { AccountQuotas } from './account-quotas.ts'
import type { Account, LookupAccessKey, SessionBasis } from './caller.ts'
import { bumpEpoch, changeIam, iamReader, type IamReader, type IamRows } from './iam-rows.ts'
import { IdentityError } from './identity-error.ts'
import {
  accountByIdKey, accountByNumberKey, accountKey, accountRange, decodeAccount, decodeName, encodeRecord, rootAccountName, type AccountRecord, type AccountState,
} from './identity-records.ts'
import { createLookup } from './lookup-access-key.ts'
import type { SecretBox } from './secret-box.ts'
import { openSessionKeys, type SessionKeys } from './session-keys.ts'
import { issueSession, type SessionCredentials } from './session-token.ts'

/** What is declared of an account; ids are kept, or generated when the account is new and has none. */
export interface AccountDeclaration {
  readonly name: string
  readonly id?: string
  readonly accountId?: string
  readonly displayName: string
  readonly email: string
  /** Absent: they stay as they are. */
  readonly quotas?: AccountQuotas
}

export interface IdentityStore {
  /** The root account, there from the first call on. Its ids are generated once and kept. */
  ensureRoot(): Promise<Account>
  /** Creates the account, or brings display name and email up to date. One commit. */
  ensureAccount(declaration: AccountDeclaration): Promise<Account>
  /** Creates the key, or replaces its secret. One commit. */
  ensureAccessKey(accountName: string, accessKeyId: string, secretAccessKey: string): Promise<void>
  getAccount(name: string): Promise<AccountRecord | undefined>
  /** By canonical user id (64 hex digits). */
  getAccountById(id: string): Promise<AccountRecord | undefined>
  /** By the 12-digit account id. */
  getAccountByNumber(accountId: string): Promise<AccountRecord | undefined>
  /** In name order. */
  listAccounts(page: { readonly after?: string; readonly limit: number }): Promise<AccountRecord[]>
  /** `NoSuchAccount`. Holds for the next request on any worker. */
  changeAccount(name: string, change: Partial<AccountState> & { readonly quotas?: AccountQuotas }): Promise<AccountRecord>
  readonly lookupAccessKey: LookupAccessKey
  readonly accessKeys: AccessKeys
  /** An account's users, groups, roles and policies. */
  iam(accountId: string): IamReader
  changeIam<T>(accountId: string, body: (rows: IamRows) => Promise<T>): Promise<T>
  /** A session of the caller's own rights and limits, until it ends at the latest. Throws `PackedTokenTooLarge`. */
  openSession(basis: SessionBasis, lifetimeMs: number): Promise<SessionCredentials>
  readonly sessionKeys: SessionKeys
  readonly extensions: ExtensionReader
}

export interface IdentityOptions {
  readonly engine: Pick<Engine, 'transact' | 'extensions'>
  readonly box: SecretBox
  readonly clock: Clock
  readonly random: Random
  /** The operator's key; configured, never stored. Off: neither it nor a key of the root account can do anything. */
  readonly root: { readonly user: string; readonly password: string; readonly isEnabled?: boolean }
}

type Rows = EngineTransaction['extensions']

export function createIdentityStore({ engine, box, clock, random, root }: IdentityOptions): IdentityStore {
  const { extensions } = engine
  const sessionKeys = openSessionKeys({ engine, box, clock, random })
  const accessKeys = createAccessKeys({ engine, box, clock, random, root })
  const ensureAccount = (declaration: AccountDeclaration) => engine.transact(({ extensions: rows }) => planAccount(rows, declaration, random))
  const readAccount = async (name: string) => {
    const value = await extensions.get(accountKey(name))
    return value === undefined ? undefined : decodeAccount(value)
  }
  const ensureRoot = async () => {
    const stored = await readAccount(rootAccountName)
    return stored ?? (await ensureAccount({ name: rootAccountName, displayName: rootAccountName, email: '' }))
  }
  const readAccountBy = async (key: Buffer) => {
    const value = await extensions.get(key)
    return value === undefined ? undefined : readAccount(decodeName(value))
  }

  return {
    ensureRoot,
    ensureAccount,
    ensureAccessKey: (accountName, accessKeyId, secretAccessKey) => accessKeys.ensure(accountName, accessKeyId, secretAccessKey),
    getAccount: readAccount,
    getAccountById: id => readAccountBy(accountByIdKey(id)),
    getAccountByNumber: accountId => readAccountBy(accountByNumberKey(accountId)),
    async listAccounts({ after, limit }) {
      const start = after === undefined ? accountRange.start : Buffer.concat([accountKey(after), Buffer.of(0)])
      return (await extensions.list({ start, end: accountRange.end, limit })).map(({ value }) => decodeAccount(value))
    },
    changeAccount: (name, change) => engine.transact(async ({ extensions: rows }) => {
      const value = await rows.get(accountKey(name))
      if (value === undefined) throw new IdentityError('NoSuchAccount', `there is no account ${name}`)
      const account: AccountRecord = { ...decodeAccount(value), ...change }
      rows.put(accountKey(name), encodeRecord(account))
      bumpEpoch(rows, account.accountId, random)
      return account
    }),
    lookupAccessKey: createLookup({ extensions, box, sessionKeys, clock, root: { isEnabled: true, ...root }, ensureRoot }),
    accessKeys,
    iam: accountId => iamReader(extensions, accountId),
    changeIam: (accountId, body) => changeIam({ engine, random }, accountId, body),
    openSession: ({ expiresAtMs = Infinity, ...basis }, lifetimeMs) => {
      const issuedAtMs = clock.nowMs()
      return issueSession({ ...basis, issuedAtMs, expiresAtMs: Math.min(issuedAtMs + lifetimeMs, expiresAtMs) }, sessionKeys, random)
    },
    sessionKeys,
    extensions,
  }
}

async function planAccount(rows: Rows, declaration: AccountDeclaration, random: Random): Promise<Account> {
  const { name, displayName, email } = declaration
  const value = await rows.get(accountKey(name))
  if (value !== undefined) {
    const stored = decodeAccount(value)
    if (declaration.id !== undefined && declaration.id !== stored.id) throw new IdentityError('IdChanged', `the account ${name} exists with the id ${stored.id}`)
    if (declaration.accountId !== undefined && declaration.accountId !== stored.accountId) {
      throw new IdentityError('AccountIdChanged', `the account ${name} exists with the account id ${stored.accountId}`)
    }
    const account = { ...stored, displayName, email, ...(declaration.quotas === undefined ? {} : { quotas: declaration.quotas }) }
    if (stored.displayName === displayName && stored.email === email && isDeepStrictEqual(stored.quotas, account.quotas)) return account
    rows.put(accountKey(name), encodeRecord(account))
    bumpEpoch(rows, account.accountId, random)
    return account
  }
  const account: Account = {
    name,
    id: declaration.id ?? Buffer.from(random.bytes(32)).toString('hex'),
    accountId: declaration.accountId ?? generateAccountId(random),
    displayName,
    email,
    ...(declaration.quotas === undefined ? {} : { quotas: declaration.quotas }),
  }
  if ((await rows.get(accountByIdKey(account.id))) !== undefined) throw new IdentityError('IdTaken', `another account has the id ${account.id}`)
  if ((await rows.get(accountByNumberKey(account.accountId))) !== undefined) {
    throw new IdentityError('AccountIdTaken', `another account has the account id ${account.accountId}`)
  }
  rows.put(accountKey(name), encodeRecord(account))
  rows.put(accountByIdKey(account.id), encodeRecord(name))
  rows.put(accountByNumberKey(account.accountId), encodeRecord(name))
  return account
}

/** 12 digits, the first not 0, as AWS's are never mistaken for a number with fewer. */
function generateAccountId(random: Random): string {
  const number = Buffer.from(random.bytes(8)).readBigUInt64BE()
  return String(100_000_000_000n + (number % 900_000_000_000n))
}
