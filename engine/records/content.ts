import type { BlobRef } from '../blobs/blob-store.ts'

/**
 * Where the bytes of a version or a part are. `contentId` names this use of them: it is the key of
 * the inline bytes, and the holder in the reference rows of a blob or a layout.
 */
export type Content =
  | { readonly kind: 'empty' }
  /** The bytes are the content row's value. */
  | { readonly kind: 'inline'; readonly contentId: string }
  | { readonly kind: 'blob'; readonly contentId: string; readonly blob: BlobRef }
  /** The bytes are those of the layout's segments, one after the other. */
  | { readonly kind: 'segments'; readonly contentId: string; readonly layoutId: string }
  /** A segment only: the bytes are those of another layout from `offset` on, shared with other objects. */
  | { readonly kind: 'slice'; readonly contentId: string; readonly layoutId: string; readonly offset: number }

/** What a segment of a layout can be. */
export type SegmentContent = Exclude<Content, { readonly kind: 'segments' }>

export type StoredContent =
  | readonly ['e']
  | readonly ['i', contentId: string]
  | readonly ['b', contentId: string, blob: BlobRef]
  | readonly ['s', contentId: string, layoutId: string]
  | readonly ['l', contentId: string, layoutId: string, offset: number]

export type StoredSegmentContent = Exclude<StoredContent, readonly ['s', string, string]>

export function storeSegmentContent(content: SegmentContent): StoredSegmentContent {
  switch (content.kind) {
    case 'empty':
      return ['e']
    case 'inline':
      return ['i', content.contentId]
    case 'blob':
      return ['b', content.contentId, content.blob]
    case 'slice':
      return ['l', content.contentId, content.layoutId, content.offset]
  }
}

export function storeContent(content: Content): StoredContent {
  return content.kind === 'segments' ? ['s', content.contentId, content.layoutId] : storeSegmentContent(content)
}

export function readSegmentContent(stored: StoredSegmentContent): SegmentContent {
  switch (stored[0]) {
    case 'e':
      return { kind: 'empty' }
    case 'i':
      return { kind: 'inline', contentId: stored[1] }
    case 'b':
      return { kind: 'blob', contentId: stored[1], blob: stored[2] }
    case 'l':
      return { kind: 'slice', contentId: stored[1], layoutId: stored[2], offset: stored[3] }
  }
}

export function readContent(stored: StoredContent): Content {
  return stored[0] === 's' ? { kind: 'segments', contentId: stored[1], layoutId: stored[2] } : readSegmentContent(stored)
}
