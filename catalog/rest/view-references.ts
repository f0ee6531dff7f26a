import type { Authorize, Caller, CatalogContext } from '../context.ts'
import { CatalogError } from '../errors.ts'
import { readViewMetadata } from '../metadata-cache.ts'
import { readView, type Warehouse, type MetadataFile } from '../rows/rows.ts'
import type { Namespace, TableIdentifier } from '../spec/identifier.ts'
import type { ViewVersion } from '../spec/view-metadata.ts'

export interface Reference {
  readonly warehouse: Warehouse
  readonly caller: Caller
  readonly authorize: Authorize
  /** What is to be reached through the views. */
  readonly entity: TableIdentifier
}

/**
 * The views of a `referenced-by` that can be believed: every one is there, the caller may load it, and the SQL of each
 * names the next, the last one's the entity. A client could name any view, so one that does not hold undoes all.
 */
export async function verifiedReferences(
  context: CatalogContext, views: readonly TableIdentifier[], { warehouse, caller, authorize, entity }: Reference,
): Promise<readonly TableIdentifier[]> {
  const plain = { caller, warehouse, operationId: 'loadView', changedTags: () => undefined, referencedBy: async () => [], registerLocation: undefined, isWrite: false }
  for (const [index, view] of views.entries()) {
    const row = await readView(context.store, warehouse.name, view)
    if (row === undefined) return []
    const target = { kind: 'view', role: 'itself', ...view, uuid: row.uuid } as const
    if (!(await authorize({ ...plain, targets: () => [target], entityOf: async () => row }))) return []
    const version = await currentVersion(context, row)
    if (version === undefined || !namesEntity(version, views[index + 1] ?? entity)) return []
  }
  return views
}

async function currentVersion(context: CatalogContext, file: MetadataFile): Promise<ViewVersion | undefined> {
  try {
    const metadata = await readViewMetadata(context, file)
    return metadata.versions.find((version) => version['version-id'] === metadata['current-version-id'])
  } catch (error) {
    if (error instanceof CatalogError) return undefined
    throw error
  }
}

/** In every dialect that the view has. */
export function namesEntity(version: Pick<ViewVersion, 'default-catalog' | 'default-namespace' | 'representations'>, { namespace, name }: TableIdentifier): boolean {
  const isDefault = same(version['default-namespace'], namespace)
  return (
    version.representations.length > 0 &&
    version.representations.every(({ sql }) => {
      const names = namesIn(sql)
      const isNamed = (wanted: readonly string[]): boolean => names.some((found) => matches(found, wanted, version['default-catalog']))
      return isNamed([...namespace, name]) || (isDefault && isNamed([name]))
    })
  )
}

const same = (left: Namespace, right: Namespace): boolean => left.length === right.length && left.every((level, index) => level === right[index])

/** A dotted name, each part with whether it was quoted: unquoted ones may be folded to lower case. */
type DottedName = readonly { readonly text: string; readonly quoted: boolean }[]

function matches(found: DottedName, wanted: readonly string[], catalog: string | undefined): boolean {
  const parts = catalog !== undefined && found.length === wanted.length + 1 && found[0]?.text === catalog ? found.slice(1) : found
  return parts.length === wanted.length && parts.every(({ text, quoted }, index) => text === wanted[index] || (!quoted && text.toLowerCase() === wanted[index]))
}

/** Every dotted name of the text, whole; strings and comments are left out. */
function namesIn(sql: string): readonly DottedName[] {
  const token = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|([\p{L}_][\p{L}\p{N}_$-]*)|(\.)|[^\s]/gu
  const names: { text: string; quoted: boolean }[][] = []
  let joins = false
  for (const [, double, back, word, dot] of sql.matchAll(token)) {
    const text = double?.replaceAll('""', '"') ?? back?.replaceAll('``', '`') ?? word
    if (text === undefined) {
      joins = dot !== undefined
      continue
    }
    const part = { text, quoted: word === undefined }
    if (joins) names.at(-1)?.push(part)
    else names.push([part])
    joins = false
  }
  return names
}
