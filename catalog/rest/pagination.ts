import { badRequest } from '../errors.ts'
import { nameOfKey, rangeOf } from '../rows/keys.ts'
import type { RowReader } from '../rows/rows.ts'
import type { OperationInput } from './operation.ts'

export interface Page {
  readonly names: readonly string[]
  readonly nextPageToken: string | null
}

const defaultPageSize = 1000
const maxPageSize = 10_000

/**
 * The names of a namespace's children. Without `pageToken` everything is returned, as the
 * specification asks; a token is the last name of the page before, so it stays good whatever changes.
 * A page has fewer names than asked for where the caller may not see all.
 */
export async function listNames(reader: RowReader, prefix: Buffer, input: OperationInput, isVisible: (name: string) => Promise<boolean>): Promise<Page> {
  const token = input.query['pageToken']
  if (token === undefined) return { names: await visibleOf(await allNames(reader, prefix), isVisible), nextPageToken: null }
  const pageSize = pageSizeOf(input)
  const after = token === '' ? undefined : decodeToken(token)
  const rows = await reader.list({ ...rangeOf(prefix, after), limit: pageSize + 1 })
  const names = rows.slice(0, pageSize).map((row) => nameOfKey(row.key))
  return { names: await visibleOf(names, isVisible), nextPageToken: rows.length > pageSize ? encodeToken(names.at(-1) ?? '') : null }
}

async function visibleOf(names: readonly string[], isVisible: (name: string) => Promise<boolean>): Promise<readonly string[]> {
  const visible: string[] = []
  for (const name of names) if (await isVisible(name)) visible.push(name)
  return visible
}

async function allNames(reader: RowReader, prefix: Buffer): Promise<readonly string[]> {
  const names: string[] = []
  for (;;) {
    const rows = await reader.list({ ...rangeOf(prefix, names.at(-1)), limit: maxPageSize })
    for (const row of rows) names.push(nameOfKey(row.key))
    if (rows.length < maxPageSize) return names
  }
}

export function pageSizeOf(input: OperationInput): number {
  const text = input.query['pageSize']
  if (text === undefined || text === '') return defaultPageSize
  const size = Number(text)
  if (!Number.isInteger(size) || size < 1) throw badRequest(`Invalid pageSize: ${text}`)
  return Math.min(size, maxPageSize)
}

export function encodeToken(name: string): string {
  return `n${Buffer.from(name, 'utf8').toString('base64url')}`
}

export function decodeToken(token: string): string {
  if (!/^n[A-Za-z0-9_-]+$/.test(token)) throw badRequest('Invalid pageToken')
  return Buffer.from(token.slice(1), 'base64url').toString('utf8')
}
