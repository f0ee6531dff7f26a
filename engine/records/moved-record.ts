import type { BlobRef } from '../blobs/blob-store.ts'
import { recordFormat } from './record-format.ts'

/**
 * Where the bytes of a blob with several uses were moved for the first of them. A hint, for the others: it holds nothing, and
 * counts only while that blob is in use.
 */
export const movedFormat = recordFormat<BlobRef>({
  name: 'moved',
  version: 1,
  encode: (blob) => [blob],
  decode: { 1: ([blob]: readonly [BlobRef]) => blob },
})
