import { unreachable } from '../../base/assert.ts'
import { illegalArgument, validationError } from '../errors.ts'
import type { Int64 } from '../json/json.ts'
import { stringifyJson } from '../json/stringify.ts'
import { sameSchema, type Schema } from '../spec/schema.ts'
import { stripTrailingSlash } from '../spec/table-metadata.ts'
import { currentViewVersion, type ViewHistoryEntry, type ViewMetadata, type ViewVersion } from '../spec/view-metadata.ts'
import type { ViewUpdate } from './view-updates.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

interface ViewDraft {
  readonly base: ViewMetadata | undefined
  readonly view: Writable<ViewMetadata>
  /** What `-1` means. */
  lastAddedSchemaId: number | undefined
  lastAddedVersionId: number | undefined
  readonly addedVersionIds: Set<number>
  changed: boolean
}

/** The view after `updates`, in the reference's semantics (its `ViewMetadata.Builder`); the same object when nothing changed. */
export function applyViewUpdates(base: ViewMetadata, updates: readonly ViewUpdate[], nowMs: number): ViewMetadata {
  const draft = newDraft(base, { ...base })
  for (const update of updates) applyUpdate(draft, update)
  if (!draft.changed) return base
  checkDialects(base, draft.view)
  return finish(draft, nowMs)
}

export interface NewView {
  readonly uuid: string
  readonly location: string
  readonly schema: Schema
  readonly viewVersion: ViewVersion
  readonly properties: Readonly<Record<string, string>>
  readonly nowMs: number
}

export function newViewMetadata({ uuid, location, schema, viewVersion, properties, nowMs }: NewView): ViewMetadata {
  const draft = newDraft(undefined, {
    'view-uuid': uuid,
    'format-version': 1,
    location,
    schemas: [],
    'current-version-id': -1,
    versions: [],
    'version-log': [],
    properties,
  })
  addSchema(draft, schema)
  addVersion(draft, { ...viewVersion, 'schema-id': lastAdded })
  setCurrentVersion(draft, lastAdded)
  return finish(draft, nowMs)
}

function newDraft(base: ViewMetadata | undefined, view: Writable<ViewMetadata>): ViewDraft {
  return { base, view, lastAddedSchemaId: undefined, lastAddedVersionId: undefined, addedVersionIds: new Set(), changed: base === undefined }
}

function applyUpdate(draft: ViewDraft, update: ViewUpdate): void {
  const { view } = draft
  switch (update.action) {
    case 'assign-uuid':
      if (update.uuid !== view['view-uuid']) throw validationError('Cannot reassign uuid')
      return
    case 'upgrade-format-version':
      if (update.formatVersion !== 1) throw validationError(`Unsupported format version: ${update.formatVersion}`)
      return
    case 'add-schema':
      return addSchema(draft, update.schema)
    case 'set-location':
      return set(draft, 'location', stripTrailingSlash(update.location))
    case 'set-properties':
      return set(draft, 'properties', { ...view.properties, ...update.updates })
    case 'remove-properties':
      return set(draft, 'properties', Object.fromEntries(Object.entries(view.properties).filter(([name]) => !update.removals.includes(name))))
    case 'add-view-version':
      return addVersion(draft, update.viewVersion)
    case 'set-current-view-version':
      return setCurrentVersion(draft, update.viewVersionId)
    default:
      return unreachable(update)
  }
}

const lastAdded = -1

function set<K extends keyof ViewMetadata>(draft: ViewDraft, member: K, value: Writable<ViewMetadata>[K]): void {
  if (stringifyJson(draft.view[member] as never) === stringifyJson(value as never)) return
  draft.view[member] = value
  draft.changed = true
}

function addSchema(draft: ViewDraft, schema: Schema): void {
  const { view } = draft
  const known = view.schemas.find((candidate) => sameSchema(candidate, schema))
  const schemaId = known?.['schema-id'] ?? view.schemas.reduce((highest, candidate) => Math.max(highest, candidate['schema-id']), -1) + 1
  draft.lastAddedSchemaId = schemaId
  if (known !== undefined) return
  view.schemas = [...view.schemas, { ...schema, 'schema-id': schemaId }]
  draft.changed = true
}

function addVersion(draft: ViewDraft, requested: ViewVersion): void {
  const { view } = draft
  const schemaId = requested['schema-id'] === lastAdded ? draft.lastAddedSchemaId : requested['schema-id']
  if (schemaId === undefined) throw validationError('Cannot set last added schema: no schema has been added')
  if (!view.schemas.some((schema) => schema['schema-id'] === schemaId)) throw validationError(`Cannot add version with unknown schema: ${schemaId}`)
  const dialects = new Set<string>()
  for (const { dialect } of requested.representations) {
    if (dialects.has(dialect.toLowerCase())) throw illegalArgument(`Invalid view version: Cannot add multiple queries for dialect ${dialect.toLowerCase()}`)
    dialects.add(dialect.toLowerCase())
  }
  const version = { ...requested, 'schema-id': schemaId }
  const known = view.versions.find((candidate) => sameVersion(candidate, version))
  if (known !== undefined) {
    draft.lastAddedVersionId = known['version-id']
    return
  }
  const taken = view.versions.some((candidate) => candidate['version-id'] === version['version-id'])
  const versionId = taken ? Math.max(...view.versions.map((candidate) => candidate['version-id'])) + 1 : version['version-id']
  view.versions = [...view.versions, { ...version, 'version-id': versionId }]
  draft.lastAddedVersionId = versionId
  draft.addedVersionIds.add(versionId)
  draft.changed = true
}

/** Equal but for id and time. */
function sameVersion(left: ViewVersion, right: ViewVersion): boolean {
  const plain = (version: ViewVersion): string => stringifyJson({ ...version, 'version-id': 0, 'timestamp-ms': 0 } as never)
  return plain(left) === plain(right)
}

function setCurrentVersion(draft: ViewDraft, requestedId: number): void {
  const { view } = draft
  const versionId = requestedId === lastAdded ? draft.lastAddedVersionId : requestedId
  if (versionId === undefined) throw validationError('Cannot set last version id: no view version has been added')
  if (versionId === view['current-version-id']) return
  if (!view.versions.some((version) => version['version-id'] === versionId)) throw validationError(`Cannot set current version to unknown version: ${versionId}`)
  view['current-version-id'] = versionId
  draft.changed = true
}

/** Replacing a view must not silently lose an engine's text of it, unless the view says so. */
function checkDialects(base: ViewMetadata, view: ViewMetadata): void {
  if (base['current-version-id'] === view['current-version-id']) return
  if (view.properties['replace.drop-dialect.allowed']?.toLowerCase() === 'true') return
  const dialectsOf = (version: ViewVersion): string[] => version.representations.map(({ dialect }) => dialect.toLowerCase())
  const before = dialectsOf(currentViewVersion(base))
  const after = dialectsOf(currentViewVersion(view))
  if (before.every((dialect) => after.includes(dialect))) return
  throw validationError(
    `Cannot replace view due to loss of view dialects (replace.drop-dialect.allowed=false):\nPrevious dialects: [${before.join(', ')}]\nNew dialects: [${after.join(', ')}]`,
  )
}

const defaultHistoryEntries = 10

function finish(draft: ViewDraft, nowMs: number): ViewMetadata {
  const { view, base } = draft
  if (view['current-version-id'] !== base?.['current-version-id']) {
    const current = currentViewVersion(view)
    const timestampMs: Int64 = draft.addedVersionIds.has(current['version-id']) ? current['timestamp-ms'] : nowMs
    view['version-log'] = [...view['version-log'], { 'timestamp-ms': timestampMs, 'version-id': current['version-id'] }]
  }
  const configured = Number.parseInt(view.properties['version.history.num-entries'] ?? '', 10)
  if (configured <= 0) throw validationError(`version.history.num-entries must be positive but was ${configured}`)
  const keep = Math.max(draft.addedVersionIds.size, Number.isNaN(configured) ? defaultHistoryEntries : configured)
  if (view.versions.length > keep) {
    const newest = view.versions.map((version) => version['version-id']).sort((left, right) => right - left)
    const kept = new Set([view['current-version-id'], ...newest.filter((id) => id !== view['current-version-id'])].slice(0, keep))
    view.versions = view.versions.filter((version) => kept.has(version['version-id']))
    view['version-log'] = keepHistory(view['version-log'], kept)
  }
  return view
}

/** What precedes an expired version goes too: it would otherwise seem to have been current for longer than it was. */
function keepHistory(log: readonly ViewHistoryEntry[], kept: ReadonlySet<number>): readonly ViewHistoryEntry[] {
  let history: ViewHistoryEntry[] = []
  for (const entry of log) {
    if (kept.has(entry['version-id'])) history.push(entry)
    else history = []
  }
  return history
}
