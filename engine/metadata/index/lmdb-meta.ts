import { assert } from '../../../base/assert.ts'

/**
 * LMDB's two meta pages, the first two of its file. Page N mod 2 is overwritten by transaction N: a
 * page header, then magic, format, page size (in the first tree's record), the trees' roots, the
 * transaction's number. See `MDB_meta` in LMDB's `mdb.c`.
 */
const metaBytes = 512
const pageHeaderBytes = 24
const magicAt = pageHeaderBytes
const pageSizeAt = pageHeaderBytes + 24
/** Each of the two trees' records counts its branch, leaf and overflow pages, 8 bytes each. */
const treesAt = pageHeaderBytes + 24
const treeBytes = 48
const lastPageAt = pageHeaderBytes + 120
const txnidAt = pageHeaderBytes + 128
const magic = 0xbeefc0de

export function readMetaPages(read: (target: Buffer, position: number) => void): Buffer {
  const pages = Buffer.alloc(2 * metaBytes)
  const first = pages.subarray(0, metaBytes)
  read(first, 0)
  read(pages.subarray(metaBytes), pageBytesOf(first))
  return pages
}

/** Writes back what `readMetaPages` returned. */
export function writeMetaPages(pages: Buffer, write: (bytes: Buffer, position: number) => void): void {
  const first = pages.subarray(0, metaBytes)
  write(first, 0)
  write(pages.subarray(metaBytes), pageBytesOf(first))
}

/** Up to the end of the last page that the newest transaction knows. */
export function usedBytesOf(pages: Buffer): number {
  return (Number(newestOf(pages).readBigUInt64LE(lastPageAt)) + 1) * pageBytesOf(pages)
}

/** In pages up to the last one that no tree of the newest transaction uses. */
export function freeBytesOf(pages: Buffer): number {
  const newest = newestOf(pages)
  let used = 2
  for (const tree of [treesAt, treesAt + treeBytes]) for (const count of [8, 16, 24]) used += Number(newest.readBigUInt64LE(tree + count))
  return Math.max(0, usedBytesOf(pages) - used * pageBytesOf(pages))
}

/** The number of the newest transaction. */
export function newestTransactionOf(pages: Buffer): number {
  return Number(newestOf(pages).readBigUInt64LE(txnidAt))
}

function newestOf(pages: Buffer): Buffer {
  const [first, second] = [pages.subarray(0, metaBytes), pages.subarray(metaBytes)]
  return first.readBigUInt64LE(txnidAt) > second.readBigUInt64LE(txnidAt) ? first : second
}

function pageBytesOf(meta: Buffer): number {
  assert(meta.readUInt32LE(magicAt) === magic, 'the first page of the index is LMDB\'s')
  return meta.readUInt32LE(pageSizeAt)
}
