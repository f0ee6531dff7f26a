/** The document of `MORAINE_BOOTSTRAP`: what exists after the start. Parsed and validated whole, before anything is done. */
import { parseDocument } from 'yaml'
import { readQuotas, type AccountQuotas } from '../../identity/account-quotas.ts'
import { rootAccountName } from '../../identity/identity-records.ts'
import { maxAccessKeyIdCharacters } from '../../identity/access-keys.ts'
import { parseBucketName, ValueError } from '../../config/values.ts'

export interface BootstrapDocument {
  readonly accounts: readonly BootstrapAccount[]
  readonly buckets: readonly BootstrapBucket[]
  readonly warehouses: readonly BootstrapWarehouse[]
}

export interface BootstrapAccount {
  readonly name: string
  /** Canonical user id, 64 hex digits. */
  readonly id?: string
  /** 12 digits. */
  readonly accountId?: string
  readonly displayName: string
  readonly email: string
  /** Absent: they stay as they are. */
  readonly quotas?: AccountQuotas
  readonly accessKeys: readonly { readonly accessKeyId: string; readonly secretAccessKey: string }[]
}

export interface BootstrapBucket {
  readonly name: string
  /** The owner's account name; the root account when absent. */
  readonly account?: string
  readonly versioning?: 'Enabled' | 'Suspended'
}

export interface BootstrapWarehouse {
  readonly name: string
  readonly bucket: string
  /** Key prefix of everything in the warehouse, without slashes at its ends. */
  readonly prefix?: string
  /** The owner's account name; the bucket's owner when absent. */
  readonly account?: string
}

/** `message` begins with the place, a JSON pointer: `/accounts/0/accessKeys/1/secretAccessKey: …`. */
export class BootstrapError extends Error {
  override readonly name = 'BootstrapError'
}

/** JSON is YAML, so one parser reads both. Every problem of the document is told at once. */
export function parseBootstrap(text: string): BootstrapDocument {
  const yaml = parseDocument(text, { strict: true, uniqueKeys: true })
  const [syntaxError] = yaml.errors
  if (syntaxError !== undefined) throw new BootstrapError(syntaxError.message.split('\n')[0]?.replace(/:$/, '') ?? '')
  const problems: string[] = []
  const root = new Place(yaml.toJS({ maxAliasCount: 0 }) ?? {}, '', problems)
  const document: BootstrapDocument = {
    accounts: root.list('accounts', readAccount),
    buckets: root.list('buckets', readBucket),
    warehouses: root.list('warehouses', readWarehouse),
  }
  root.allows('accounts', 'buckets', 'warehouses')
  requireUnique(document.accounts.map(({ name }) => name), index => `/accounts/${index}/name`, problems)
  requireUnique(document.buckets.map(({ name }) => name), index => `/buckets/${index}/name`, problems)
  requireUnique(document.warehouses.map(({ name }) => name), index => `/warehouses/${index}/name`, problems)
  if (problems.length > 0) throw new BootstrapError(problems.join('\n'))
  return document
}

function readAccount(place: Place): BootstrapAccount {
  place.allows('name', 'id', 'accountId', 'displayName', 'email', 'quotas', 'accessKeys')
  const name = place.text('name', /^[\w+=,.@-]{1,64}$/, '1 to 64 letters, digits or + = , . @ _ -') ?? ''
  const id = place.optionalText('id', /^[0-9a-f]{64}$/, '64 lower-case hex digits')
  const accountId = place.optionalText('accountId', /^\d{12}$/, '12 digits, as text')
  const quotas = place.quotas('quotas', name === rootAccountName ? 'the root account has none' : undefined)
  return {
    name,
    ...(id === undefined ? {} : { id }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(quotas === undefined ? {} : { quotas }),
    displayName: place.optionalText('displayName', /^.{1,256}$/, '1 to 256 characters') ?? name,
    email: place.optionalText('email', /^[^\s@]+@[^\s@]+$/, 'an e-mail address') ?? '',
    accessKeys: place.list('accessKeys', key => {
      key.allows('accessKeyId', 'secretAccessKey')
      return {
        accessKeyId: key.text('accessKeyId', new RegExp(`^[!-+\\-.0-<>-~]{3,${maxAccessKeyIdCharacters}}$`), `3 to ${maxAccessKeyIdCharacters} printable ASCII characters, without / , =`) ?? '',
        secretAccessKey: key.text('secretAccessKey', /^.{8,256}$/, '8 to 256 characters', 'secret') ?? '',
      }
    }),
  }
}

function readBucket(place: Place): BootstrapBucket {
  place.allows('name', 'account', 'versioning')
  const name = place.bucketName('name') ?? ''
  const account = place.optionalText('account', /./, 'the name of an account')
  const versioning = place.optionalText('versioning', /^(Enabled|Suspended)$/, 'Enabled or Suspended') as BootstrapBucket['versioning']
  return { name, ...(account === undefined ? {} : { account }), ...(versioning === undefined ? {} : { versioning }) }
}

function readWarehouse(place: Place): BootstrapWarehouse {
  place.allows('name', 'bucket', 'prefix', 'account')
  const name = place.text('name', /^[A-Za-z0-9][\w.-]{0,127}$/, '1 to 128 letters, digits or . _ -, beginning with a letter or digit') ?? ''
  const bucket = place.bucketName('bucket') ?? ''
  const prefix = place.optionalText('prefix', /^[^/](.*[^/])?$/, 'a key prefix without slashes at its ends')
  const account = place.optionalText('account', /./, 'the name of an account')
  return { name, bucket, ...(prefix === undefined ? {} : { prefix }), ...(account === undefined ? {} : { account }) }
}

function requireUnique(names: readonly string[], pointerOf: (index: number) => string, problems: string[]): void {
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) problems.push(`${pointerOf(index)}: ${name} is declared twice`)
  }
}

/** A value of the document with its JSON pointer. Readers note problems and go on, so that one pass finds all. */
class Place {
  readonly #members: Readonly<Record<string, unknown>>
  readonly #pointer: string
  readonly #problems: string[]

  constructor(value: unknown, pointer: string, problems: string[]) {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isMap) problems.push(`${pointer === '' ? '/' : pointer}: expected an object, not ${kindOf(value)}`)
    this.#members = isMap ? (value as Record<string, unknown>) : {}
    this.#pointer = pointer
    this.#problems = problems
  }

  allows(...names: readonly string[]): void {
    for (const name of Object.keys(this.#members)) {
      if (!names.includes(name)) this.#problem(name, `there is no such member; expected ${names.join(', ')}`)
    }
  }

  text(name: string, pattern: RegExp, expected: string, kind: 'shown' | 'secret' = 'shown'): string | undefined {
    const value = this.#members[name]
    if (value === undefined || value === null) return this.#problem(name, `is needed: ${expected}`)
    if (typeof value !== 'string') return this.#problem(name, `expected ${expected}, not ${kindOf(value)}`)
    if (pattern.test(value)) return value
    return this.#problem(name, `expected ${expected}${kind === 'secret' ? '' : `, not ${JSON.stringify(value)}`}`)
  }

  optionalText(name: string, pattern: RegExp, expected: string): string | undefined {
    return this.#members[name] === undefined ? undefined : this.text(name, pattern, expected)
  }

  bucketName(name: string): string | undefined {
    const text = this.text(name, /^/, 'a bucket name')
    try {
      return text === undefined ? undefined : parseBucketName(text)
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      return this.#problem(name, error.message)
    }
  }

  quotas(name: string, refusal: string | undefined): AccountQuotas | undefined {
    const value = this.#members[name]
    if (value === undefined) return undefined
    const quotas = refusal ?? readQuotas(value)
    return typeof quotas === 'string' ? this.#problem(name, quotas) : quotas
  }

  list<T>(name: string, read: (place: Place) => T): readonly T[] {
    const value = this.#members[name]
    if (value === undefined) return []
    if (Array.isArray(value)) return value.map((item: unknown, index) => read(new Place(item, `${this.#pointer}/${name}/${index}`, this.#problems)))
    this.#problem(name, `expected a list, not ${kindOf(value)}`)
    return []
  }

  #problem(name: string, message: string): undefined {
    this.#problems.push(`${this.#pointer}/${escapePointer(name)}: ${message}`)
  }
}

/** RFC 6901. */
function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
