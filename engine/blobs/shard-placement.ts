import { assert } from '../../base/assert.ts'

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * Which drive of its set holds a shard: they follow each other from a place that the blob's id names, so that data and
 * parity, and with them reads, spread evenly over the drives.
 */
export function positionOfShard(blobId: string, shard: number, drives: number): number {
  return (shard + rotation(blobId)) % drives
}

export function shardAtPosition(blobId: string, position: number, drives: number): number {
  return (position - (rotation(blobId) % drives) + drives) % drives
}

/** From random characters of the id, others than those that name the directory. */
function rotation(blobId: string): number {
  assert(blobId.length === 26, 'a blob id is a ULID')
  return crockford.indexOf(blobId.charAt(22)) * 32 + crockford.indexOf(blobId.charAt(23))
}
