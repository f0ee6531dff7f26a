import { describe, expect, test } from 'vitest'
import { KiB } from '../../base/units.ts'
import { slackBytes } from '../erasure/kernel.ts'
import { hashBytes } from './block-layout.ts'
import { codingStepBytes, GroupLayout, joined } from './group-layout.ts'
import { regionBytes, stripesAtOnce } from './stripe-buffers.ts'

interface Place {
  readonly start: number
  readonly end: number
}

/** Every set of 1 to 16 drives with every parity. */
const shapes = Array.from({ length: 16 }, (_, index) => index + 1).flatMap((drives) =>
  Array.from({ length: Math.floor(drives / 2) + 1 }, (_, parityShards) => ({ dataShards: drives - parityShards, parityShards })))

function placesOf(shape: { readonly dataShards: number; readonly parityShards: number; readonly blockBytes: number }, lastBytes: number): Place[] {
  const layout = new GroupLayout(shape)
  const stripes = Array.from({ length: stripesAtOnce }, (_, stripe) => (stripe === stripesAtOnce - 1 ? lastBytes : shape.blockBytes))
  return stripes.flatMap((bytes, stripe) => {
    const shards = Array.from({ length: shape.dataShards + shape.parityShards }, (_, shard) => shard)
    const computed = Array.from({ length: shape.parityShards }, (_, missing) => layout.computedAt(missing, stripe))
    // Blocks that are read, or computed in whole steps, are overwritten no further than they are long.
    return [
      ...shards.map((shard) => layout.blockAt(shard, stripe, bytes)).map((start) => ({ start, end: start + bytes })),
      ...computed.map((start) => ({ start, end: start + bytes + slackBytes })),
      ...shards.map((shard) => layout.hashAt(shard, stripe)).map((start) => ({ start, end: start + hashBytes })),
    ]
  })
}

describe('GroupLayout', () => {
  test.each([128 * KiB, 64 * KiB, 4 * KiB])('with blocks of %i bytes no place overlaps another, and all fit the buffer', (blockBytes) => {
    for (const { dataShards, parityShards } of shapes) {
      for (const lastBytes of [blockBytes, blockBytes - 1, codingStepBytes, 1]) {
        const places = placesOf({ dataShards, parityShards, blockBytes }, lastBytes).toSorted((a, b) => a.start - b.start)
        for (const [index, { end }] of places.entries()) expect(end).toBeLessThanOrEqual(places[index + 1]?.start ?? Infinity)
        const drives = dataShards + parityShards
        const { bytes } = new GroupLayout({ dataShards, parityShards, blockBytes })
        expect(bytes).toBeGreaterThanOrEqual(Math.max(...places.map(({ end }) => end)))
        expect(bytes).toBeLessThanOrEqual((drives + Math.floor(drives / 2)) * regionBytes(blockBytes))
      }
    }
  })

  test('the data blocks of a group are one piece, whatever the length of the last stripe', () => {
    for (const lastBytes of [4 * KiB, 100, 33]) {
      const layout = new GroupLayout({ dataShards: 3, parityShards: 2, blockBytes: 4 * KiB })
      const memory = Buffer.alloc(layout.bytes)
      const blocks = Array.from({ length: stripesAtOnce }, (_, stripe) => {
        const bytes = stripe === stripesAtOnce - 1 ? lastBytes : 4 * KiB
        return [0, 1, 2].map((shard) => memory.subarray(layout.blockAt(shard, stripe, bytes), layout.blockAt(shard, stripe, bytes) + bytes))
      }).flat()
      expect(joined(blocks).map(({ length }) => length)).toEqual([(stripesAtOnce - 1) * 3 * 4 * KiB + 3 * lastBytes])
    }
  })
})

test('pieces are joined where they lie together, and nowhere else', () => {
  const [one, other] = [Buffer.alloc(10, 'a'), Buffer.alloc(10, 'b')].map((bytes) => Buffer.from(new Uint8Array(bytes).buffer)) as [Buffer, Buffer]
  const pieces = [one.subarray(0, 3), one.subarray(3, 5), one.subarray(6, 8), other.subarray(8, 9), other.subarray(9, 10), one.subarray(0, 1)]
  expect(joined(pieces).map(String)).toEqual(['aaaaa', 'aa', 'bb', 'a'])
  expect(joined([])).toEqual([])
})
