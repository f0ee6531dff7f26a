import { badRequest, CatalogError } from '../errors.ts'
import { asObject, int32, string, type Decoder } from '../json/decode.ts'
import { decodeSchema, type Schema } from '../spec/schema.ts'
import { decodeViewVersion, type ViewMetadata, type ViewVersion } from '../spec/view-metadata.ts'
import { sharedDecoders, type SharedUpdate, type UpdateDecoders } from './shared-updates.ts'

/** The 8 changes that a commit can make to a view. Specification: `ViewUpdate`. */
export type ViewUpdate =
  | SharedUpdate
  | { readonly action: 'add-schema'; readonly schema: Schema }
  | { readonly action: 'add-view-version'; readonly viewVersion: ViewVersion }
  | { readonly action: 'set-current-view-version'; readonly viewVersionId: number }

const decoders: UpdateDecoders<ViewUpdate> = {
  ...sharedDecoders,
  'add-schema': (source, at) => ({ action: 'add-schema', schema: decodeSchema(source['schema'], `${at}.schema`) }),
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
