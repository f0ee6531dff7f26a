/**
 * The generated part of `docs/s3.md`: every operation of the S3 model and every member of its input, with what becomes of it.
 * `node tools/s3-table.ts --write` writes it between the page's markers; what is around them is written by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { assert } from '../base/assert.ts'
import { operationNamed } from '../src/s3/operations.ts'
import { unconfigured } from '../src/s3/operations/unconfigured.ts'
import { refusalOf } from '../src/s3/refusals.ts'
import { s3Operations, type S3Operation } from '../src/wire/s3-operations.ts'
import type { Member, Shape } from '../src/wire/shape.ts'

export const page = new URL('../docs/s3.md', import.meta.url)
const begin = '<!-- Operations and members: printed by `node tools/s3-table.ts --write`; a test holds it to be current. -->'
const end = '<!-- End of the printed part. -->'

/** What a later version brings. Until then it is refused like everything else that is not honoured. */
export const planned = {
  operations: [
    'DeleteBucketEncryption', 'DeleteBucketLifecycle', 'DeleteBucketReplication', 'PutBucketEncryption', 'PutBucketLifecycleConfiguration',
    'PutBucketNotificationConfiguration', 'PutBucketReplication', 'PutObjectLegalHold', 'PutObjectLockConfiguration', 'PutObjectRetention',
    'SelectObjectContent',
  ],
  members: [
    'BucketKeyEnabled', 'BypassGovernanceRetention', 'CopySourceSSECustomerAlgorithm', 'CopySourceSSECustomerKey', 'CopySourceSSECustomerKeyMD5',
    'ObjectLockLegalHoldStatus', 'ObjectLockMode', 'ObjectLockRetainUntilDate', 'SSECustomerAlgorithm', 'SSECustomerKey', 'SSECustomerKeyMD5',
    'SSEKMSEncryptionContext', 'SSEKMSKeyId', 'ServerSideEncryption',
  ],
} as const

/** Members inside of documents that are refused although the document is honoured. */
export const refusedInside: Readonly<Record<string, string>> = {
  'CreateBucketConfiguration.Location': 'NotImplemented',
  'CreateBucketConfiguration.Bucket': 'NotImplemented',
  'AccessControlPolicy.Grants.Grantee.EmailAddress': 'NotImplemented',
}

/** `error` is what a request with the member is answered with. */
export type Treatment = { readonly kind: 'honoured' } | { readonly kind: 'refused' | 'planned'; readonly error: string }

export interface MemberRow {
  readonly member: string
  readonly treatment: Treatment
}

/** Every member of an operation's input, those inside of documents by their path. */
export function membersOf(operation: S3Operation): MemberRow[] {
  return operation.input.members.flatMap(member => rowsOf(operation, member))
}

function rowsOf(operation: S3Operation, member: Member): MemberRow[] {
  const treatment = treatmentOf(operation, member)
  const inside = treatment.kind === 'honoured' && (member.binding.to === 'payload' || member.binding.to === 'body')
  const paths = inside ? pathsIn(member, [], new Set()) : [member.name]
  return paths.map(path => {
    const refused = Object.keys(refusedInside).find(each => path === each || path.startsWith(`${each}.`))
    return { member: path, treatment: refused === undefined ? treatment : { kind: 'refused', error: refusedInside[refused] ?? '' } }
  })
}

function treatmentOf(operation: S3Operation, { name }: Member): Treatment {
  const done = operationNamed(operation.name)
  if (done === undefined) {
    const later: readonly string[] = planned.operations
    return { kind: later.includes(operation.name) ? 'planned' : 'refused', error: 'NotImplemented' }
  }
  if ((done.honours as readonly string[]).includes(name)) return { kind: 'honoured' }
  const later: readonly string[] = planned.members
  return { kind: later.includes(name) ? 'planned' : 'refused', error: refusalOf(name).code }
}

/** The leaves of a document: `Delete.Objects.Key`. */
function pathsIn(member: Member, above: readonly string[], seen: ReadonlySet<string>): string[] {
  const path = [...above, member.name]
  if (refusedInside[path.join('.')] !== undefined) return [path.join('.')]
  const shape = elementShape(member.shape)
  if (shape.kind !== 'structure' || seen.has(shape.name) || shape.members.length === 0) return [path.join('.')]
  return shape.members.flatMap(each => pathsIn(each, path, new Set([...seen, shape.name])))
}

function elementShape(shape: Shape): Shape {
  return shape.kind === 'list' ? elementShape(shape.item.shape) : shape
}

export function printTable(): string {
  const rows = [...s3Operations.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(operationRow)
  const counts = countTreatments()
  return `${begin}

${counts.operations} operations, ${counts.members} members: ${counts.honoured} honoured, ${counts.refused} refused, ${counts.planned} planned.

| Operation | | Honoured | Refused | Planned |
|---|---|---|---|---|
${rows.join('\n')}

${end}`
}

function countTreatments() {
  const all = [...s3Operations.values()].flatMap(membersOf)
  const of = (kind: Treatment['kind']) => all.filter(({ treatment }) => treatment.kind === kind).length
  return { operations: s3Operations.size, members: all.length, honoured: of('honoured'), refused: of('refused'), planned: of('planned') }
}

function operationRow(operation: S3Operation): string {
  const members = membersOf(operation)
  if (operationNamed(operation.name) === undefined) {
    const kind = (planned.operations as readonly string[]).includes(operation.name) ? 'planned' : 'refused'
    const all = `all (\`NotImplemented\`): ${list(members)}`
    return `| \`${operation.name}\` | ${kind} | | ${kind === 'refused' ? all : ''} | ${kind === 'planned' ? all : ''} |`
  }
  const status = operation.name in unconfigured ? 'answers that nothing is configured' : 'done'
  const by = (kind: Treatment['kind']) => members.filter(({ treatment }) => treatment.kind === kind)
  return `| \`${operation.name}\` | ${status} | ${list(by('honoured'))} | ${withErrors(by('refused'))} | ${withErrors(by('planned'))} |`
}

const list = (rows: readonly MemberRow[]): string => rows.map(({ member }) => member).join(', ')

function withErrors(rows: readonly MemberRow[]): string {
  const byError = Map.groupBy(rows, ({ treatment }) => (treatment.kind === 'honoured' ? '' : treatment.error))
  return [...byError].map(([error, members]) => `${list(members)} (\`${error}\`)`).join('; ')
}

/** The page with its printed part renewed. */
export function renewed(text: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  assert(from >= 0 && to > from, 'docs/s3.md has the markers of its printed part')
  return text.slice(0, from) + printTable() + text.slice(to + end.length)
}

if (import.meta.main) {
  const text = renewed(readFileSync(page, 'utf8'))
  if (process.argv.includes('--write')) writeFileSync(page, text)
  else process.stdout.write(text)
}
