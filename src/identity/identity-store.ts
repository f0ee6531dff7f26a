import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Engine, EngineTransaction } from '../../engine/index.ts'
import { rootPrincipal } from '../policy/principal.ts'
import type { Account, Caller, Credentials } from './caller.ts'
import {
  accessKeyKey, accountByIdKey, accountByNumberKey, accountKey, decodeAccessKey, decodeAccount, decodeName, encodeRecord, rootAccountName,
} from './identity-records.ts'

/** What is declared of an account; ids are kept, or generated when the account is new and has none. */
export interface AccountDeclaration {
  readonly name: string
  readonly id?: string
  readonly accountId?: string
  readonly displayName: string
  readonly email: string
}

/**
 * - `IdTaken`, `AccountIdTaken`: another account has the id.
 * - `IdChanged`, `AccountIdChanged`: the account exists with another id, and ids never change.
 * - `AccessKeyTaken`: another account (or root) has the access key.
 */
export type IdentityErrorCode = 'IdTaken' | 'AccountIdTaken' | 'IdChanged' | 'AccountIdChanged' | 'AccessKeyTaken'

export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: IdentityErrorCode

  constructor(code: IdentityErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export interface IdentityStore {
  /** The root account, there from the first call on. Its ids are generated once and kept. */
  ensureRoot(): Promise<Account>
  /** Creates the account, or brings display name and email up to date. One commit. */
  ensureAccount(declaration: AccountDeclaration): Promise<Account>
  /** Creates the key, or replaces its secret. One commit. */
  ensureAccessKey(accountName: string, accessKeyId: string, secretAccessKey: string): Promise<void>
  getAccount(name: string): Promise<Account | undefined>
  /** By canonical user id (64 hex digits). */
  getAccountById(id: string): Promise<Account | undefined>
  /** By the 12-digit account id. */
  getAccountByNumber(accountId: string): Promise<Account | undefined>
  /** `undefined`: no such key. Nothing is cached, so a change holds on every worker for the next request. */
  lookupAccessKey(accessKeyId: string): Promise<Credentials | undefined>
}

export interface IdentityOptions {
  readonly engine: Pick<Engine, 'transact' | 'extensions'>
  readonly clock: Clock
  readonly random: Random
  /** The root account's key; configured, never stored. */
  readonly root: { readonly user: string; readonly password: string }
}

type Rows = EngineTransaction['extensions']

export function createIdentityStore({ engine, clock, random, root }: IdentityOptions): IdentityStore {
  const { extensions } = engine
  let rootCaller: Caller | undefined

  const ensureAccount = (declaration: AccountDeclaration) => engine.transact(({ extensions: rows }) => planAccount(rows, declaration, random))
  const ensureRoot = async () => {
    const stored = await readAccount(rootAccountName)
    return stored ?? (await ensureAccount({ name: rootAccountName, displayName: rootAccountName, email: '' }))
  }
  const readAccount = async (name: string) => {
    const value = await extensions.get(accountKey(name))
    return value === undefined ? undefined : decodeAccount(value)
  }
  const readAccountBy = async (key: Buffer) => {
    const value = await extensions.get(key)
    return value === undefined ? undefined : readAccount(decodeName(value))
  }

  return {
    ensureRoot,
    ensureAccount,
    ensureAccessKey: async (accountName, accessKeyId, secretAccessKey) => {
      if (accessKeyId === root.user) throw new IdentityError('AccessKeyTaken', `${accessKeyId} is the root user`)
      await engine.transact(async ({ extensions: rows }) => {
        const key = accessKeyKey(accessKeyId)
        const value = await rows.get(key)
        const stored = value === undefined ? undefined : decodeAccessKey(value)
        if (stored !== undefined && stored.accountName !== accountName) throw new IdentityError('AccessKeyTaken', `${accessKeyId} belongs to another account`)
        if (stored?.secretAccessKey === secretAccessKey) return
        rows.put(key, encodeRecord({ accessKeyId, accountName, secretAccessKey, createdAtMs: stored?.createdAtMs ?? clock.nowMs() }))
      })
    },
    getAccount: readAccount,
    getAccountById: id => readAccountBy(accountByIdKey(id)),
    getAccountByNumber: accountId => readAccountBy(accountByNumberKey(accountId)),
    lookupAccessKey: async accessKeyId => {
      if (accessKeyId === root.user) {
        if (rootCaller === undefined) {
          const account = await ensureRoot()
          rootCaller = { principal: rootPrincipal('serverRoot', account), account, accessKeyId }
        }
        return { secretAccessKey: root.password, caller: rootCaller }
      }
      if (accessKeyId.length > maxAccessKeyIdCharacters) return undefined
      const value = await extensions.get(accessKeyKey(accessKeyId))
      if (value === undefined) return undefined
      const { accountName, secretAccessKey } = decodeAccessKey(value)
      const account = await readAccount(accountName)
      if (account === undefined) return undefined
      return { secretAccessKey, caller: { principal: rootPrincipal(accountName === rootAccountName ? 'serverRoot' : 'accountRoot', account), account, accessKeyId } }
    },
  }
}

/** IAM's own limit. A request's id is not trusted to be short enough for a metadata key. */
export const maxAccessKeyIdCharacters = 128

async function planAccount(rows: Rows, declaration: AccountDeclaration, random: Random): Promise<Account> {
  const { name, displayName, email } = declaration
  const value = await rows.get(accountKey(name))
  if (value !== undefined) {
    const stored = decodeAccount(value)
    if (declaration.id !== undefined && declaration.id !== stored.id) throw new IdentityError('IdChanged', `the account ${name} exists with the id ${stored.id}`)
    if (declaration.accountId !== undefined && declaration.accountId !== stored.accountId) {
      throw new IdentityError('AccountIdChanged', `the account ${name} exists with the account id ${stored.accountId}`)
    }
    const account = { ...stored, displayName, email }
    if (stored.displayName !== displayName || stored.email !== email) rows.put(accountKey(name), encodeRecord(account))
    return account
  }
  const account: Account = {
    name,
    id: declaration.id ?? Buffer.from(random.bytes(32)).toString('hex'),
    accountId: declaration.accountId ?? generateAccountId(random),
    displayName,
    email,
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
