/**
 * What IAM keeps of an account: users, groups, roles, customer managed policies and identity providers. Rows are
 * `iam/ACCOUNTID/KIND/NAME`, the name in lower case since IAM's names differ by more than case; a format byte, then JSON.
 */
export interface IamEntity {
  readonly name: string
  /** `/` or `/a/b/`. */
  readonly path: string
  /** `AIDA…`, `AGPA…`, `AROA…`, `ANPA…`: never used again, also when the name is. */
  readonly id: string
  readonly createdAtMs: number
}

export type Tags = Readonly<Record<string, string>>

/** What policies can be attached to. */
export interface Grantee extends IamEntity {
  /** ARNs of managed policies. */
  readonly attached: readonly string[]
  /** Name to document, as text. */
  readonly inline: Readonly<Record<string, string>>
}

export interface UserRecord extends Grantee {
  readonly tags: Tags
  readonly groups: readonly string[]
  /** ARN of the permission boundary. */
  readonly boundary?: string
  /** Sessions that began before are over. */
  readonly revokedBeforeMs?: number
}

export type GroupRecord = Grantee

export interface RoleRecord extends Grantee {
  readonly tags: Tags
  readonly description: string
  /** The trust policy, as text. */
  readonly trust: string
  readonly maxSessionSeconds: number
  readonly boundary?: string
  readonly revokedBeforeMs?: number
}

export interface PolicyRecord extends IamEntity {
  readonly description: string
  readonly tags: Tags
  readonly updatedAtMs: number
  /** Oldest first. */
  readonly versions: readonly PolicyVersion[]
  readonly defaultVersionId: string
  /** The number of the version that is made next. */
  readonly nextVersion: number
}

export interface PolicyVersion {
  /** `v1` and on. */
  readonly versionId: string
  readonly document: string
  readonly createdAtMs: number
}

/** An OpenID Connect provider whose web identities roles may trust; its name is its URL without `https://`. */
export interface ProviderRecord extends IamEntity {
  readonly clientIds: readonly string[]
  readonly thumbprints: readonly string[]
  readonly tags: Tags
}

export interface IamRecords {
  readonly user: UserRecord
  readonly group: GroupRecord
  readonly role: RoleRecord
  readonly policy: PolicyRecord
  readonly provider: ProviderRecord
}

export type IamKind = keyof IamRecords

/** The first four characters of each kind's ids. AWS has none for providers. */
export const idPrefixes: Readonly<Record<IamKind, string>> = { user: 'AIDA', group: 'AGPA', role: 'AROA', policy: 'ANPA', provider: 'OIDC' }

const format = 1

export const encodeIam = (record: IamRecords[IamKind]): Buffer => Buffer.concat([Buffer.of(format), Buffer.from(JSON.stringify(record))])

export function decodeIam<K extends IamKind>(value: Buffer): IamRecords[K] {
  if (value[0] !== format) throw new Error(`a row of IAM has the unknown format ${value[0]}`)
  return JSON.parse(value.toString('utf8', 1)) as IamRecords[K]
}

export const iamKey = (accountId: string, kind: IamKind, name: string): Buffer => Buffer.from(`iam/${accountId}/${kind}/${name.toLowerCase()}`)

/** Every row of a kind. */
export function iamRange(accountId: string, kind: IamKind): { readonly start: Buffer; readonly end: Buffer } {
  return { start: Buffer.from(`iam/${accountId}/${kind}/`), end: Buffer.from(`iam/${accountId}/${kind}0`) }
}

/** Changes with every change in the account: what is remembered of it holds as long as this stays. */
export const epochKey = (accountId: string): Buffer => Buffer.from(`iam/${accountId}/epoch`)

/** An index of access keys by owner: `user` is empty for the account's own. Values are empty but for a format byte. */
export const ownedKeyKey = (accountId: string, user: string, accessKeyId: string): Buffer => Buffer.from(`iam/${accountId}/key/${user.toLowerCase()}/${accessKeyId}`)

export function ownedKeyRange(accountId: string, user: string): { readonly start: Buffer; readonly end: Buffer } {
  return { start: ownedKeyKey(accountId, user, ''), end: Buffer.from(`iam/${accountId}/key/${user.toLowerCase()}0`) }
}

/** `arn:aws:iam::ACCOUNT:user/PATH/NAME`. */
export function iamArn(accountId: string, kind: IamKind, { path, name }: Pick<IamEntity, 'path' | 'name'>): string {
  if (kind === 'provider') return `arn:aws:iam::${accountId}:oidc-provider/${name}`
  return `arn:aws:iam::${accountId}:${kind}${path}${name}`
}
