import { hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { ExtensionReader } from '../../engine/index.ts'
import { PolicyCache } from '../policy/policy-cache.ts'
import { CredentialError, type Account, type Caller, type Credentials, type LookupAccessKey, type SessionBasis } from './caller.ts'
import { epochKey, type UserRecord } from './iam-records.ts'
import { iamReader } from './iam-rows.ts'
import {
  accessKeyKey, accountByNumberKey, accountKey, decodeAccessKey, decodeAccount, decodeName, rootAccountName, type AccessKeyRecord, type AccountRecord,
} from './identity-records.ts'
import { maxAccessKeyIdCharacters } from './access-keys.ts'
import { resolvePrincipal, type Standing } from './resolve-principal.ts'
import type { SecretBox } from './secret-box.ts'
import type { SessionKeys } from './session-keys.ts'
import { isSessionKeyId, maxTokenCharacters, openSession, type OpenedSession } from './session-token.ts'

export interface LookupParts {
  readonly extensions: ExtensionReader
  readonly box: SecretBox
  readonly sessionKeys: SessionKeys
  readonly clock: Clock
  readonly root: { readonly user: string; readonly password: string; readonly isEnabled: boolean }
  readonly ensureRoot: () => Promise<Account>
}

/**
 * Who an access key stands for, with its secret. What is remembered holds only while the rows say so: of a long-term key
 * two rows are read for each request (the key's and its account's epoch, which every change of IAM renews), of a session
 * the epoch alone. So a change or a revoke holds on every worker for the next request.
 */
export function createLookup(parts: LookupParts): LookupAccessKey {
  const keys = new Remembered<KeyEntry>(4096)
  const sessions = new Remembered<SessionEntry>(4096)
  const resolve = { extensions: parts.extensions, policies: new PolicyCache() }
  let rootCredentials: Credentials | undefined

  return async (accessKeyId, sessionToken) => {
    if (accessKeyId === parts.root.user) {
      if (sessionToken !== undefined) throw new CredentialError('InvalidToken')
      if (!parts.root.isEnabled) return undefined
      rootCredentials ??= await rootOf(parts, resolve, accessKeyId)
      return rootCredentials
    }
    if (accessKeyId.length > maxAccessKeyIdCharacters) return undefined
    if (isSessionKeyId(accessKeyId)) return sessionToken === undefined ? undefined : lookupSession(parts, sessions, resolve, { accessKeyId, sessionToken })
    const found = await lookupKey(parts, keys, resolve, accessKeyId)
    if (found !== undefined && sessionToken !== undefined) throw new CredentialError('InvalidToken')
    return found
  }
}

type Resolve = Parameters<typeof resolvePrincipal>[0]

interface KeyEntry {
  /** The row as it was, and the epoch at which the rest was read. */
  readonly row: Buffer
  readonly epoch: Buffer | undefined
  readonly accountId: string
  readonly expiresAtMs: number
  /** Undefined: the key is of no use as things are. */
  readonly credentials: Credentials | undefined
}

async function lookupKey(parts: LookupParts, keys: Remembered<KeyEntry>, resolve: Resolve, accessKeyId: string): Promise<Credentials | undefined> {
  const row = await parts.extensions.get(accessKeyKey(accessKeyId))
  if (row === undefined) return undefined
  const known = keys.get(accessKeyId)
  let entry = known
  if (known === undefined || !known.row.equals(row) || !sameBytes(known.epoch, await parts.extensions.get(epochKey(known.accountId)))) {
    entry = await readKey(parts, resolve, row)
    if (entry !== undefined) keys.set(accessKeyId, entry)
  }
  return entry !== undefined && parts.clock.nowMs() < entry.expiresAtMs ? entry.credentials : undefined
}

async function readKey(parts: LookupParts, resolve: Resolve, row: Buffer): Promise<KeyEntry | undefined> {
  const { extensions, box, root } = parts
  const record = decodeAccessKey(row, box)
  const { accountName } = record
  const value = await extensions.get(accountKey(accountName))
  if (value === undefined) return undefined
  const { accountId } = decodeAccount(value)
  // The epoch is read before what it stands for: a change in between is seen by the next request.
  const epoch = await extensions.get(epochKey(accountId))
  const account = await readAccount(extensions, accountName)
  const isOff = account === undefined || record.status !== 'Active' || account.status === 'Disabled' || (accountName === rootAccountName && record.userName === undefined && !root.isEnabled)
  const caller = isOff ? undefined : await callerOfKey(resolve, account, record)
  return {
    row,
    epoch,
    accountId,
    expiresAtMs: record.expiresAtMs ?? Infinity,
    credentials: caller && { secretAccessKey: record.secretAccessKey, caller },
  }
}

async function callerOfKey(resolve: Resolve, account: AccountRecord, { accessKeyId, accountName, userName, policy }: AccessKeyRecord): Promise<Caller | undefined> {
  const user = userName === undefined ? undefined : await iamReader(resolve.extensions, account.accountId).get('user', userName)
  if (userName !== undefined && user === undefined) return undefined
  const subject = subjectOf(accountName, user)
  const limits = policy === undefined ? [] : [{ kind: 'policies', documents: [policy], arns: [] } as const]
  return callerOf(resolve, account, accessKeyId, { accountId: account.accountId, subject, parentKey: accessKeyId, limits, expiresAtMs: undefined }, undefined)
}

function subjectOf(accountName: string, user: UserRecord | undefined): SessionBasis['subject'] {
  if (user !== undefined) return { kind: 'user', name: user.name, id: user.id }
  return { kind: accountName === rootAccountName ? 'serverRoot' : 'accountRoot' }
}

async function callerOf(resolve: Resolve, account: Account, accessKeyId: string, basis: SessionBasis, issuedAtMs: number | undefined): Promise<Caller | undefined> {
  const standing: Standing = { ...basis, ...(issuedAtMs === undefined ? {} : { issuedAtMs }) }
  const principal = await resolvePrincipal(resolve, account, standing)
  return principal && { principal, account, accessKeyId, basis }
}

async function rootOf({ root, ensureRoot }: LookupParts, resolve: Resolve, accessKeyId: string): Promise<Credentials | undefined> {
  const account = await ensureRoot()
  const basis: SessionBasis = { accountId: account.accountId, subject: { kind: 'serverRoot' }, parentKey: accessKeyId, limits: [], expiresAtMs: undefined }
  const caller = await callerOf(resolve, account, accessKeyId, basis, undefined)
  return caller && { secretAccessKey: root.password, caller }
}

// ---- sessions

interface SessionEntry extends OpenedSession {
  readonly epoch: Buffer | undefined
  readonly credentials: Credentials | undefined
}

async function lookupSession(
  parts: LookupParts, sessions: Remembered<SessionEntry>, resolve: Resolve, { accessKeyId, sessionToken }: { readonly accessKeyId: string; readonly sessionToken: string },
): Promise<Credentials> {
  if (sessionToken.length > maxTokenCharacters) throw new CredentialError('InvalidToken')
  const name = hash('sha256', `${accessKeyId} ${sessionToken}`, 'base64')
  const known = sessions.get(name)
  const opened = known ?? (await openSession(accessKeyId, sessionToken, parts.sessionKeys))
  if (opened === undefined) throw new CredentialError('InvalidToken')
  const { claims } = opened
  if (parts.clock.nowMs() >= claims.expiresAtMs) throw new CredentialError('ExpiredToken')
  const epoch = await parts.extensions.get(epochKey(claims.accountId))
  let entry = known
  if (entry === undefined || !sameBytes(entry.epoch, epoch)) {
    entry = { ...opened, epoch, credentials: await readSession(parts, resolve, accessKeyId, opened) }
    sessions.set(name, entry)
  }
  if (entry.credentials === undefined) throw new CredentialError('InvalidToken')
  return entry.credentials
}

/** `undefined`: what it was made of is gone, off, or revoked it. */
async function readSession({ extensions, box, root }: LookupParts, resolve: Resolve, accessKeyId: string, { claims, secretAccessKey }: OpenedSession): Promise<Credentials | undefined> {
  const { accountId, parentKey, issuedAtMs, subject } = claims
  const name = await extensions.get(accountByNumberKey(accountId))
  const account = name === undefined ? undefined : await readAccount(extensions, decodeName(name))
  if (account === undefined || account.status === 'Disabled' || issuedAtMs < (account.revokedBeforeMs ?? 0)) return undefined
  if (subject.kind === 'serverRoot' && !root.isEnabled) return undefined
  if (parentKey !== undefined && parentKey !== root.user) {
    const row = await extensions.get(accessKeyKey(parentKey))
    const parent = row === undefined ? undefined : decodeAccessKey(row, box)
    if (parent?.status !== 'Active' || parent.accountName !== account.name) return undefined
  }
  const caller = await callerOf(resolve, account, accessKeyId, claims, issuedAtMs)
  return caller && { secretAccessKey, caller }
}

async function readAccount(extensions: ExtensionReader, name: string): Promise<AccountRecord | undefined> {
  const value = await extensions.get(accountKey(name))
  return value === undefined ? undefined : decodeAccount(value)
}

function sameBytes(left: Buffer | undefined, right: Buffer | undefined): boolean {
  return left === undefined || right === undefined ? left === right : left.equals(right)
}

/** A bounded memory; the oldest entry goes first. */
class Remembered<T> {
  readonly #limit: number
  readonly #entries = new Map<string, T>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)
  }

  set(name: string, entry: T): void {
    this.#entries.delete(name)
    if (this.#entries.size >= this.#limit) this.#entries.delete(this.#entries.keys().next().value ?? name)
    this.#entries.set(name, entry)
  }
}
