import { applyViewUpdates } from '../../commit/apply-view-updates.ts'
import { checkViewRequirements, decodeViewRequirement, decodeViewUpdate } from '../../commit/view-updates.ts'
import { array, object, withDefault } from '../../json/decode.ts'
import { requestedLocation } from '../../locations.ts'
import { readViewMetadata } from '../../metadata-cache.ts'
import { fileOf } from '../../rows/rows.ts'
import { emitChange, publishView, requireView } from '../../tables.ts'
import { decodeBody, viewOf, type Mutation } from '../operation.ts'

const decodeRequest = object({
  requirements: withDefault(array(decodeViewRequirement), []),
  updates: array(decodeViewUpdate),
})

/** POST views/{view}: the commit of a view. Errors: NoSuchView, CommitFailed, Validation, BadRequest (an unknown update). */
export const replaceView: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const identifier = viewOf(input)
    const { requirements, updates } = decodeBody(decodeRequest, input)
    return async (tx) => {
      const row = await requireView(tx, warehouse, identifier)
      const base = await readViewMetadata(context, row)
      checkViewRequirements(requirements, base)
      const kept = updates.filter((update) => update.action !== 'set-location' || requestedLocation(warehouse, update.location) !== undefined)
      const metadata = applyViewUpdates(base, kept, context.clock.nowMs())
      if (metadata === base) return { kind: 'view', identifier, ...fileOf(row) }
      const metadataLocation = await publishView(tx, context, warehouse, identifier, metadata, row)
      emitChange(tx, 'CommitView', warehouse, [...identifier.namespace, identifier.name], { uuid: row.uuid, metadataLocation })
      return { kind: 'view', identifier, metadataLocation }
    }
  },
}
