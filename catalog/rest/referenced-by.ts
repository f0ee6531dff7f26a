import { badRequest } from '../errors.ts'
import { checkIdentifier, unitSeparator, type TableIdentifier } from '../spec/identifier.ts'

/** Views of views of views: more are nobody's. */
const maxViews = 100

/**
 * `referenced-by`: the views through which a table or view is reached, the outermost first, as
 * `{namespace}{separator}{view}` with commas between. The Java client escapes each before the query
 * is escaped as a whole, so that names may hold commas; others do not: both are understood.
 * `BadRequest` for what names no views.
 */
export function referencedBy({ query }: { readonly query: Readonly<Record<string, string | undefined>> }): readonly TableIdentifier[] {
  const text = query['referenced-by']
  if (text === undefined || text === '') return []
  const views = text.split(',')
  if (views.length > maxViews) throw badRequest(`Invalid referenced-by: more than ${maxViews} views`)
  return views.map((view) => {
    const levels = unescape(view).split(unitSeparator)
    const identifier = { namespace: levels.slice(0, -1), name: levels.at(-1) ?? '' }
    checkIdentifier(identifier)
    return identifier
  })
}

function unescape(view: string): string {
  try {
    return decodeURIComponent(view)
  } catch {
    throw badRequest('Invalid referenced-by: a broken escape')
  }
}
