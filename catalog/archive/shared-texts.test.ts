import { expect, test } from 'vitest'
import { SharedTexts, type SharedPlace } from './shared-texts.ts'

/** A file whose bytes are those of one sequence, and what was read of it. */
function countingStore(sequence: Buffer) {
  const reads: [offset: number, length: number][] = []
  return {
    reads,
    async *readRange(_location: string, range?: { readonly offset: number; readonly length: number }): AsyncGenerator<Buffer> {
      const { offset, length } = range ?? { offset: 0, length: sequence.length }
      reads.push([offset, length])
      for (let at = offset; at < offset + length; at += 10) yield sequence.subarray(at, Math.min(at + 10, offset + length))
    },
  }
}

const sequence = Buffer.from(Array.from({ length: 200 }, (_, index) => index))
const place = (offset: number, end: number, sharedId = 's'): SharedPlace => ({ sharedId, offset, sizeBytes: end - offset, fileOffset: offset })

test('what was read once is not read again, and of what has grown only the new', async () => {
  const store = countingStore(sequence)
  const texts = new SharedTexts(10_000)
  for (const [from, to] of [[0, 50], [0, 50], [7, 33], [0, 80], [25, 95], [40, 95]] as const) {
    expect(Buffer.concat(await texts.read(store, 'f', place(from, to)))).toEqual(sequence.subarray(from, to))
  }
  expect(store.reads).toEqual([[0, 50], [50, 30], [80, 15]])
  // Before what is kept: all of it anew.
  expect(Buffer.concat(await texts.read(store, 'f', place(3, 90)))).toEqual(sequence.subarray(3, 90))
  expect(store.reads.at(-1)).toEqual([3, 87])
})

test('two that read the same at once keep it once', async () => {
  const store = countingStore(sequence)
  const texts = new SharedTexts(10_000)
  await texts.read(store, 'f', place(0, 20))
  const both = await Promise.all([texts.read(store, 'f', place(0, 60)), texts.read(store, 'f', place(0, 60))])
  for (const chunks of both) expect(Buffer.concat(chunks)).toEqual(sequence.subarray(0, 60))
  expect(Buffer.concat(await texts.read(store, 'f', place(0, 60)))).toEqual(sequence.subarray(0, 60))
})

test('the sequences used longest ago go first', async () => {
  const store = countingStore(sequence)
  const texts = new SharedTexts(100)
  await texts.read(store, 'f', place(0, 40, 'a'))
  await texts.read(store, 'f', place(0, 40, 'b'))
  await texts.read(store, 'f', place(0, 40, 'a'))
  await texts.read(store, 'f', place(0, 40, 'c'))
  const before = store.reads.length
  await texts.read(store, 'f', place(0, 40, 'a'))
  expect(store.reads.length).toBe(before)
  await texts.read(store, 'f', place(0, 40, 'b'))
  expect(store.reads.length).toBe(before + 1)
})
