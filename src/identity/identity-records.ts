/**
 * The rows of accounts and access keys, under the engine's extension prefix. Every value begins with a format byte,
 * then JSON.
 *
 * Keys: `identity/account/NAME`, `identity/id/ID` and `identity/number/ACCOUNTID` (both hold the account's name),
 * `identity/key/ACCESSKEYID`.
 */
import { assert, must } from '../../base/assert.ts'
import type { Account } from './caller.ts'
import type { SecretBox } from './secret-box.ts'

export const rootAccountName = 'root'

export interface AccessKeyRecord {
  readonly accessKeyId: string
  readonly accountName: string
  readonly secretAccessKey: string
  readonly createdAtMs: number
  /** Absent: the account's own. */
  readonly userName?: string
  readonly status: 'Active' | 'Inactive'
  readonly description?: string
  /** From then on it is none. */
  readonly expiresAtMs?: number
  /** Limits the key below its owner's rights. */
  readonly policy?: string
}

/** What an operator sets of an account beside its names. */
export interface AccountState {
  /** `Disabled`: none of its keys, users and sessions can do anything. */
  readonly status: 'Enabled' | 'Disabled'
  /** Sessions that began before are over. */
  readonly revokedBeforeMs?: number
}

export type AccountRecord = Account & Partial<AccountState>

/** JSON; of access keys the secret in the clear: read, and rewritten sealed at the next start. */
const plainFormat = 1
/** Of access keys: JSON with `sealedSecret` in Base64 in place of the secret. */
const sealedFormat = 2

export const accountKey = (name: string): Buffer => Buffer.from(`identity/account/${name}`)
export const accountByIdKey = (id: string): Buffer => Buffer.from(`identity/id/${id}`)
export const accountByNumberKey = (accountId: string): Buffer => Buffer.from(`identity/number/${accountId}`)
export const accessKeyKey = (accessKeyId: string): Buffer => Buffer.from(`identity/key/${accessKeyId}`)
export const accountRange = { start: Buffer.from('identity/account/'), end: Buffer.from('identity/account0') }
export const accessKeyRange = { start: Buffer.from('identity/key/'), end: Buffer.from('identity/key0') }

export function encodeRecord(record: AccountRecord | string): Buffer {
  return Buffer.concat([Buffer.of(plainFormat), Buffer.from(JSON.stringify(record))])
}

export function decodeAccount(value: Buffer): AccountRecord {
  assert(value[0] === plainFormat, 'rows of accounts are of format 1')
  return JSON.parse(value.toString('utf8', 1)) as AccountRecord
}

export function decodeName(value: Buffer): string {
  assert(value[0] === plainFormat, 'rows of names are of format 1')
  return JSON.parse(value.toString('utf8', 1)) as string
}

type Stored = Omit<AccessKeyRecord, 'secretAccessKey'> & { readonly sealedSecret: string }

export function encodeAccessKey({ secretAccessKey, ...record }: AccessKeyRecord, box: SecretBox): Buffer {
  const sealedSecret = box.seal(Buffer.from(secretAccessKey), accessKeyKey(record.accessKeyId)).toString('base64')
  return Buffer.concat([Buffer.of(sealedFormat), Buffer.from(JSON.stringify({ ...record, sealedSecret } satisfies Stored))])
}

export function decodeAccessKey(value: Buffer, box: SecretBox): AccessKeyRecord {
  const stored = JSON.parse(value.toString('utf8', 1)) as Stored | AccessKeyRecord
  if (!('sealedSecret' in stored)) {
    assert(value[0] === plainFormat, 'rows of access keys are of format 1 or 2')
    return { ...stored, status: 'Active' }
  }
  const { sealedSecret, ...record } = stored
  assert(value[0] === sealedFormat, 'rows of access keys are of format 1 or 2')
  const secret = must(box.open(Buffer.from(sealedSecret, 'base64'), accessKeyKey(record.accessKeyId)), 'a secret was sealed for its row by this deployment')
  return { ...record, secretAccessKey: secret.toString('utf8') }
}

/** A row of before, that shows its secret. */
export const isPlain = (value: Buffer): boolean => value[0] === plainFormat
