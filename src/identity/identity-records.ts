/**
 * The rows of accounts and access keys, under the engine's extension prefix. Every value begins with
 * a format byte, so that a later format (encrypted secrets) tells old rows from new ones.
 *
 * Keys: `identity/account/NAME`, `identity/id/ID` and `identity/number/ACCOUNTID` (both hold the
 * account's name), `identity/key/ACCESSKEYID`.
 */
import { assert } from '../../base/assert.ts'
import type { Account } from './caller.ts'

export const rootAccountName = 'root'

export interface AccessKeyRecord {
  readonly accessKeyId: string
  readonly accountName: string
  readonly secretAccessKey: string
  readonly createdAtMs: number
}

/** Format 1: UTF-8 JSON follows. */
const jsonFormat = 1

export const accountKey = (name: string): Buffer => Buffer.from(`identity/account/${name}`)
export const accountByIdKey = (id: string): Buffer => Buffer.from(`identity/id/${id}`)
export const accountByNumberKey = (accountId: string): Buffer => Buffer.from(`identity/number/${accountId}`)
export const accessKeyKey = (accessKeyId: string): Buffer => Buffer.from(`identity/key/${accessKeyId}`)

export function encodeRecord(record: Account | AccessKeyRecord | string): Buffer {
  return Buffer.concat([Buffer.of(jsonFormat), Buffer.from(JSON.stringify(record))])
}

export function decodeAccount(value: Buffer): Account {
  return decode(value) as Account
}

export function decodeAccessKey(value: Buffer): AccessKeyRecord {
  return decode(value) as AccessKeyRecord
}

export function decodeName(value: Buffer): string {
  return decode(value) as string
}

function decode(value: Buffer): unknown {
  assert(value[0] === jsonFormat, 'identity rows are of format 1')
  return JSON.parse(value.toString('utf8', 1))
}
