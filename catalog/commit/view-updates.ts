import { badRequest, CatalogError } from '../errors.ts'
import { array, asObject, int32, record, string, type Decoder } from '../json/decode.ts'
import type { JsonObject } from '../json/json.ts'
import { decodeSchema, type Schema } from '../spec/schema.ts'
import { decodeViewVersion, type ViewMetadata, type ViewVersion } from '../spec/view-metadata.ts'

/** The 8 changes that a commit can make to a view. Specification: `ViewUpdate`. */
export type ViewUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly formatVersion: number }
  | { readonly action: 'add-schema'; readonly schema: Schema }
  | { readonly action: 'set-location'; readonly location: string }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }
  | { readonly action: 'add-view-version'; readonly viewVersion: ViewVersion }
  | { readonly action: 'set-current-view-version'; readonly viewVersionId: number }

type UpdateDecoders = { readonly [A in ViewUpdate['action']]: (source: JsonObject, at: string) => Extract<ViewUpdate, { action: A }> }

const decoders: UpdateDecoders = {
  'assign-uuid': (source, at) => ({ action: 'assign-uuid', uuid: string(source['uuid'], `${at}.uuid`) }),
  'upgrade-format-version': (source, at) => ({
    action: 'upgrade-format-version',
    formatVersion: int32(source['format-version'], `${at}.format-version`),
  }),
  'add-schema': (source, at) => ({ action: 'add-schema', schema: decodeSchema(source['schema'], `${at}.schema`) }),
  'set-location': (source, at) => ({ action: 'set-location', location: string(source['location'], `${at}.location`) }),
  'set-properties': (source, at) => ({
    action: 'set-properties',
    updates: record(string)(source['updates'] ?? source['updated'], `${at}.updates`),
  }),
  'remove-properties': (source, at) => ({
    action: 'remove-properties',
    removals: array(string)(source['removals'] ?? source['removed'], `${at}.removals`),
  }),
  'add-view-version': (source, at) => ({
    action: 'add-view-version',
    viewVersion: decodeViewVersion(source['view-version'], `${at}.view-version`),
  }),
  'set-current-view-version': (source, at) => ({
    action: 'set-current-view-version',
    viewVersionId: int32(source['view-version-id'], `${at}.view-version-id`),
  }),
}

export const viewUpdateActions = Object.keys(decoders) as readonly ViewUpdate['action'][]

export const decodeViewUpdate: Decoder<ViewUpdate> = (value, at) => {
  const source = asObject(value, at)
  const action = string(source['action'], `${at}.action`)
  if (!isViewUpdateAction(action)) throw badRequest(`Cannot convert metadata update to json. Unrecognized action: ${action}`)
  return decoders[action](source, at)
}

function isViewUpdateAction(action: string): action is ViewUpdate['action'] {
  return Object.hasOwn(decoders, action)
}

/** What must hold of the view for a commit to apply. Specification: `ViewRequirement`. */
export interface ViewRequirement {
  readonly type: 'assert-view-uuid'
  readonly uuid: string
}

export const decodeViewRequirement: Decoder<ViewRequirement> = (value, at) => {
  const source = asObject(value, at)
  const type = string(source['type'], `${at}.type`)
  if (type !== 'assert-view-uuid') throw badRequest(`Cannot convert update requirement to json. Unrecognized type: ${type}`)
  return { type, uuid: string(source['uuid'], `${at}.uuid`) }
}

export function checkViewRequirements(requirements: readonly ViewRequirement[], base: ViewMetadata): void {
  for (const { uuid } of requirements) {
    if (uuid.toLowerCase() !== base['view-uuid'].toLowerCase()) {
      throw new CatalogError('CommitFailed', `Requirement failed: view UUID does not match: expected ${base['view-uuid']} != ${uuid}`)
    }
  }
}
