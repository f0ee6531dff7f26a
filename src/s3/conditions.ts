import { parseEtags } from '../wire/etags.ts'
import type { WriteConditions } from '../../engine/index.ts'

/**
 * The conditions of a write. AWS takes one ETag in If-Match and `*` in If-None-Match; lists and ETags
 * in If-None-Match are our superset. Errors: InvalidArgument for what is no ETag list.
 */
export function writeConditions(input: { IfMatch?: string | undefined; IfNoneMatch?: string | undefined }): WriteConditions {
  return {
    ...(input.IfMatch === undefined ? {} : { ifMatch: parseEtags(input.IfMatch) }),
    ...(input.IfNoneMatch === undefined ? {} : { ifNoneMatch: parseEtags(input.IfNoneMatch) }),
  }
}

/** `If-Match` and the two companions that only deletes take. */
export function deleteConditions(input: {
  IfMatch?: string | undefined
  IfMatchSize?: number | undefined
  IfMatchLastModifiedTime?: Date | undefined
}): Omit<WriteConditions, 'ifNoneMatch'> {
  return {
    ...(input.IfMatch === undefined ? {} : { ifMatch: parseEtags(input.IfMatch) }),
    ...(input.IfMatchSize === undefined ? {} : { ifMatchSizeBytes: input.IfMatchSize }),
    ...(input.IfMatchLastModifiedTime === undefined ? {} : { ifMatchLastModifiedMs: input.IfMatchLastModifiedTime.getTime() }),
  }
}
