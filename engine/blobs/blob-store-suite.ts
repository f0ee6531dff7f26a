import { beforeEach, describe, expect, test } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { ulidTimeMs } from '../../base/ulid.ts'
import { KiB, MiB } from '../../base/units.ts'
import { BlobError } from './blob-store.ts'
import type { BlobRef, BlobStore } from './blob-store.ts'

export interface BlobStoreHarness {
  /** A fresh, empty store. */
  readonly open: () => Promise<BlobStore>
  /** Changes one byte of the blob's content behind the store's back. */
  readonly tamper: (store: BlobStore, ref: BlobRef, position: number) => Promise<void>
}

/** The contract of `BlobStore`: every implementation runs this. */
export function describeBlobStore(name: string, harness: BlobStoreHarness): void {
  describe(`${name}`, () => {
    let store: BlobStore
    beforeEach(async () => {
      store = await harness.open()
    })
    describe('write and read', () => { describeBytes(() => store) })
    describe('delete and list', () => { describeLife(() => store) })
    describe('integrity', () => { describeIntegrity(() => store, harness.tamper) })
  })
}

export function contentOf(sizeBytes: number, seed = sizeBytes): Buffer {
  return Buffer.from(new SeededRandom(seed).bytes(sizeBytes))
}

export async function* chunksOf(content: Buffer, chunkBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < content.length; start += chunkBytes) yield content.subarray(start, start + chunkBytes)
}

export async function readAll(store: BlobStore, ref: BlobRef, range = { offset: 0, length: ref.sizeBytes }): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of store.read(ref, range)) {
    expect(chunk.length).toBeGreaterThan(0)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}

async function namesIn(store: BlobStore): Promise<string[]> {
  const ids: string[] = []
  for await (const { blobId } of store.list()) ids.push(blobId)
  return ids.toSorted()
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

const write = (store: BlobStore, content: Buffer, chunkBytes = 64 * KiB): Promise<BlobRef> => store.write(chunksOf(content, chunkBytes))

function describeBytes(current: () => BlobStore): void {
  const sizes = [0, 1, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 128 * KiB, 256 * KiB, 256 * KiB + 1, MiB, 3 * MiB + 12_345]
  for (const sizeBytes of sizes) {
    test(`${sizeBytes} bytes come back`, async () => {
      const store = current()
      const content = contentOf(sizeBytes)
      const ref = await write(store, content)
      expect(ref).toMatchObject({ blobId: expect.stringMatching(/^[0-9A-Z]{26}$/) as string, sizeBytes })
      expect(JSON.parse(JSON.stringify(ref))).toEqual(ref)
      expect((await readAll(store, ref)).equals(content)).toBe(true)
    })
  }

  test('however the source is cut, empty chunks included', async () => {
    const store = current()
    const content = contentOf(700_000)
    for (const chunkBytes of [997, 65_536, 262_144, 700_000]) {
      const ref = await write(store, content, chunkBytes)
      expect((await readAll(store, ref)).equals(content)).toBe(true)
    }
    const source = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield new Uint8Array(0)
      yield content
      yield new Uint8Array(0)
    }
    expect((await readAll(store, await store.write(source()))).equals(content)).toBe(true)
  })

  test('a source may reuse its buffer once asked for more', async () => {
    const store = current()
    const content = contentOf(900_000)
    const reused = Buffer.alloc(10_000)
    const source = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for (let start = 0; start < content.length; start += reused.length) {
        content.copy(reused, 0, start)
        yield reused
      }
      reused.fill(0)
    }
    expect((await readAll(store, await store.write(source()))).equals(content)).toBe(true)
  })

  test('ranges yield exactly their bytes', async () => {
    const store = current()
    const content = contentOf(2 * MiB + 77)
    const ref = await write(store, content)
    const random = new SeededRandom(5)
    const edges = [0, 1, 64 * KiB - 1, 64 * KiB, 256 * KiB - 1, 256 * KiB, 256 * KiB + 1, MiB, 2 * MiB + 76, 2 * MiB + 77]
    const ranges = edges.flatMap((start) => edges.filter((end) => end >= start).map((end) => ({ offset: start, length: end - start })))
    for (let i = 0; i < 50; i++) {
      const offset = random.integer(content.length)
      ranges.push({ offset, length: random.integer(content.length - offset + 1) })
    }
    for (const range of ranges) {
      expect((await readAll(store, ref, range)).equals(content.subarray(range.offset, range.offset + range.length))).toBe(true)
    }
  })

  test('blobs written at once do not mix', async () => {
    const store = current()
    const contents = Array.from({ length: 12 }, (_, i) => contentOf(300_000 + i * 50_000, i))
    const refs = await Promise.all(contents.map((content, i) => write(store, content, 10_000 + i)))
    expect(new Set(refs.map(({ blobId }) => blobId)).size).toBe(refs.length)
    const read = await Promise.all(refs.map((ref) => readAll(store, ref)))
    for (const [i, content] of contents.entries()) expect(read[i]?.equals(content)).toBe(true)
  })

  test('when the source throws, its error is passed on and nothing stays', async () => {
    const store = current()
    const failure = new Error('the client went away')
    for (const sizeBytes of [0, 100, 256 * KiB, 3 * MiB]) {
      const source = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        yield* chunksOf(contentOf(sizeBytes), 64 * KiB)
        throw failure
      }
      await expect(store.write(source())).rejects.toBe(failure)
    }
    expect(await namesIn(store)).toEqual([])
  })
}

function describeLife(current: () => BlobStore): void {
  test('list shows every blob with its time and size', async () => {
    const store = current()
    expect(await namesIn(store)).toEqual([])
    const refs = [await write(store, contentOf(10)), await write(store, contentOf(100_000))]
    expect(await namesIn(store)).toEqual(refs.map(({ blobId }) => blobId).toSorted())
    for await (const { blobId, begunAtMs, storedBytes } of store.list()) {
      expect(begunAtMs).toBe(ulidTimeMs(blobId))
      expect(storedBytes).toBeGreaterThanOrEqual(refs.find((ref) => ref.blobId === blobId)?.sizeBytes ?? Infinity)
    }
  })

  test('delete removes, again and again', async () => {
    const store = current()
    const [kept, removed] = [await write(store, contentOf(70_000)), await write(store, contentOf(80_000))]
    await store.delete(removed.blobId)
    await store.delete(removed.blobId)
    expect(await namesIn(store)).toEqual([kept.blobId])
    expect(await codeOf(readAll(store, removed))).toBe('NotFound')
    expect((await readAll(store, kept)).length).toBe(70_000)
  })

  test('a reader that has begun finishes although the blob is deleted', async () => {
    const store = current()
    const content = contentOf(3 * MiB)
    const ref = await write(store, content)
    const reading = store.read(ref, { offset: 0, length: content.length })[Symbol.asyncIterator]()
    const chunks: Buffer[] = []
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
      chunks.push(Buffer.from(next.value))
      await store.delete(ref.blobId)
    }
    expect(Buffer.concat(chunks).equals(content)).toBe(true)
  })

  test('a reader may stop early, and what it got stays its own', async () => {
    const store = current()
    const content = contentOf(2 * MiB)
    const ref = await write(store, content)
    const taken: Buffer[] = []
    for await (const chunk of store.read(ref, { offset: 0, length: content.length })) {
      taken.push(chunk)
      break
    }
    await write(store, contentOf(MiB))
    expect((await readAll(store, ref)).equals(content)).toBe(true)
    const first = Buffer.concat(taken)
    expect(first.equals(content.subarray(0, first.length))).toBe(true)
    taken[0]?.fill(0)
    expect((await readAll(store, ref)).equals(content)).toBe(true)
  })
}

function describeIntegrity(current: () => BlobStore, tamper: BlobStoreHarness['tamper']): void {
  test('a changed byte is never yielded', async () => {
    const store = current()
    const content = contentOf(MiB + 100)
    for (const position of [0, 300_000, MiB + 99]) {
      const ref = await write(store, content)
      await tamper(store, ref, position)
      const yielded: Buffer[] = []
      const reading = (async () => {
        for await (const chunk of store.read(ref, { offset: 0, length: ref.sizeBytes })) yielded.push(Buffer.from(chunk))
      })()
      expect(await codeOf(reading)).toBe('Corrupt')
      const got = Buffer.concat(yielded)
      expect(got.length).toBeLessThanOrEqual(position)
      expect(got.equals(content.subarray(0, got.length))).toBe(true)
      expect(await codeOf(readAll(store, ref, { offset: position, length: 1 }))).toBe('Corrupt')
    }
  })
}
