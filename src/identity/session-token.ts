import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Random } from '../../base/random.ts'
import { KiB } from '../../base/units.ts'
import { randomId } from './iam-rows.ts'
import type { SessionKeys } from './session-keys.ts'

/** What a session is, all of it: nothing is stored, so its token says everything. */
export interface SessionClaims {
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly accountId: string
  readonly subject: SessionSubject
  /** The long-term key that it was made with: when that is gone or off, the session is over. */
  readonly parentKey?: string
  /** Each limits the session by itself. */
  readonly limits: readonly SessionLimit[]
  /** Condition keys that it brings: `aws:PrincipalTag/K`, `jwt:sub`, … */
  readonly keys?: Readonly<Record<string, readonly string[]>>
  /** Names of its tags that a further role session inherits. */
  readonly transitiveTags?: readonly string[]
}

/** Whose rights a session has, before its limits. */
export type SessionSubject =
  | { readonly kind: 'serverRoot' | 'accountRoot' }
  | { readonly kind: 'user'; readonly name: string; readonly id: string }
  | { readonly kind: 'role'; readonly name: string; readonly id: string; readonly sessionName: string; readonly session?: PolicySet }
  /** Signed in elsewhere: rights by the names of policies. */
  | { readonly kind: 'federated'; readonly name: string; readonly policies: readonly string[] }

/** Policies that together allow what the session may do at most: documents as text, and ARNs of managed ones. */
export interface PolicySet {
  readonly documents: readonly string[]
  readonly arns: readonly string[]
}

export type SessionLimit =
  | ({ readonly kind: 'policies' } & PolicySet)
  /** The files of one table: vended credentials. */
  | { readonly kind: 'prefix'; readonly bucket: string; readonly prefix: string; readonly access: 'read' | 'write' }

/** A session's credentials, as clients get them. */
export interface SessionCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAtMs: number
}

export interface OpenedSession {
  readonly claims: SessionClaims
  readonly secretAccessKey: string
}

/** The token in Base64: this byte, the session key's number (4 bytes), nonce, sealed claims, tag. */
const format = 1
const headBytes = 5
const nonceBytes = 12
const tagBytes = 16
/** Headers have a bound of 32 KiB together. */
export const maxTokenCharacters = 12 * KiB
const maxClaimsBytes = 64 * KiB

/** Temporary access keys are told by their first four characters, as AWS's. */
export const isSessionKeyId = (accessKeyId: string): boolean => accessKeyId.startsWith('ASIA') && accessKeyId.length === 20

/** The token does not fit a header: policies and tags are too long together. */
export class PackedTokenTooLarge extends Error {
  override readonly name = 'PackedTokenTooLarge'
}

/** Throws `PackedTokenTooLarge`. */
export async function issueSession(claims: SessionClaims, keys: SessionKeys, random: Random): Promise<SessionCredentials> {
  const { number, key } = await keys.current()
  const accessKeyId = `ASIA${randomId(random, 16)}`
  const head = Buffer.alloc(headBytes)
  head[0] = format
  head.writeUInt32BE(number, 1)
  const nonce = Buffer.from(random.bytes(nonceBytes))
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(boundTo(head, accessKeyId))
  const text = Buffer.from(JSON.stringify(claims))
  const sessionToken = Buffer.concat([head, nonce, cipher.update(deflateRawSync(text)), cipher.final(), cipher.getAuthTag()]).toString('base64')
  if (sessionToken.length > maxTokenCharacters || text.length > maxClaimsBytes) throw new PackedTokenTooLarge()
  return { accessKeyId, secretAccessKey: secretOf(key, accessKeyId, nonce), sessionToken, expiresAtMs: claims.expiresAtMs }
}

/** `undefined`: it is not ours, was changed, or belongs to another access key. Whether it has expired is for the caller to see. */
export async function openSession(accessKeyId: string, sessionToken: string, keys: SessionKeys): Promise<OpenedSession | undefined> {
  if (sessionToken.length > maxTokenCharacters || !/^[A-Za-z0-9+/]+={0,2}$/.test(sessionToken)) return undefined
  const sealed = Buffer.from(sessionToken, 'base64')
  if (sealed[0] !== format || sealed.length < headBytes + nonceBytes + tagBytes || sealed.toString('base64') !== sessionToken) return undefined
  const key = await keys.get(sealed.readUInt32BE(1))
  if (key === undefined) return undefined
  const nonce = sealed.subarray(headBytes, headBytes + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(boundTo(sealed.subarray(0, headBytes), accessKeyId))
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  try {
    const text = Buffer.concat([decipher.update(sealed.subarray(headBytes + nonceBytes, -tagBytes)), decipher.final()])
    const claims = JSON.parse(inflateRawSync(text, { maxOutputLength: maxClaimsBytes }).toString('utf8')) as SessionClaims
    return { claims, secretAccessKey: secretOf(key, accessKeyId, nonce) }
  } catch {
    return undefined
  }
}

function boundTo(head: Buffer, accessKeyId: string): Buffer {
  return Buffer.concat([head, Buffer.from(`session token ${accessKeyId}`)])
}

/** 40 characters, as AWS's: made of the key, so that the token need not carry it. */
function secretOf(key: Buffer, accessKeyId: string, nonce: Buffer): string {
  return createHmac('sha256', key).update(`session secret ${accessKeyId} `).update(nonce).digest().subarray(0, 30).toString('base64')
}
