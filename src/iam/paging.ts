import { QueryError } from '../wire/query-error.ts'

export interface PageInput {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface Page<T> {
  readonly items: T[]
  readonly paging: { readonly IsTruncated: boolean; readonly Marker?: string }
}

const defaultItems = 100
const mostItems = 1000

/**
 * One page: `read` gives the entries after a name, at most so many, in order; `keep` leaves some out. A marker is the
 * last name that was looked at, in Base64, so that clients take it for nothing else. A page may be short and not the last.
 */
export async function page<T>(
  { Marker, MaxItems }: PageInput, read: (page: { readonly after?: string; readonly limit: number }) => Promise<T[]>, nameOf: (item: T) => string, keep: (item: T) => boolean = () => true,
): Promise<Page<T>> {
  const limit = MaxItems ?? defaultItems
  if (limit < 1 || limit > mostItems) throw new QueryError('ValidationError', `1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must be between 1 and ${mostItems}`)
  const after = Marker === undefined ? undefined : decodeMarker(Marker)
  const found = await read({ ...(after === undefined ? {} : { after }), limit: limit + 1 })
  const last = found.length > limit ? found[limit - 1] : undefined
  const items = found.slice(0, limit).filter(keep)
  return { items, paging: last === undefined ? { IsTruncated: false } : { IsTruncated: true, Marker: Buffer.from(nameOf(last)).toString('base64') } }
}

function decodeMarker(marker: string): string {
  const name = Buffer.from(marker, 'base64')
  if (name.toString('base64') !== marker || name.length > 512) throw new QueryError('ValidationError', 'Invalid Marker.')
  return name.toString('utf8')
}

/** A page of a list that is at hand. */
export function pageOf<T>(input: PageInput, nameOf: (item: T) => string, all: readonly T[]): Promise<Page<T>> {
  const ordered = all.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
  return page(input, async ({ after, limit }) => ordered.filter(item => after === undefined || nameOf(item) > after).slice(0, limit), nameOf)
}
