import { SeededRandom } from '../../base/seeded-random.ts'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import { MemoryBlobStore } from '../blobs/memory-blob-store.ts'
import type { Attributes, Digest, Engine, PutResult } from '../engine.ts'
import { MemoryMetadataStore } from '../metadata/memory-metadata-store.ts'
import { openEngine } from '../open-engine.ts'
import type { EngineSettings } from './context.ts'

export const owner = 'a'.repeat(64)
export const plain: Attributes = { headers: { 'content-type': 'text/plain' }, userMetadata: {}, storageClass: 'STANDARD' }

/** An engine over memory stores, with everything that a test may want to touch. */
export function memoryEngine(settings?: Partial<EngineSettings>) {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const metadata = new MemoryMetadataStore()
  const blobs = new MemoryBlobStore({ clock, random })
  const engine = openEngine({ metadata, blobs, clock, random, ...(settings === undefined ? {} : { settings }) })
  return { engine, metadata, blobs, clock, random }
}

export function digestOf(text: string | Uint8Array): Digest {
  return { etag: `etag-${Buffer.from(text).toString('hex', 0, 16)}-${text.length}`, checksums: [] }
}

export async function* bodyOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

export function put(engine: Engine, key: string, text: string | Uint8Array, more: Partial<Parameters<Engine['putObject']>[0]> = {}): Promise<PutResult> {
  const finish = () => digestOf(text)
  return engine.putObject({ bucket: 'bucket', key, body: bodyOf(text), finish, attributes: plain, ownerId: owner, ...more })
}

export async function bytesOf(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

export async function textOf(engine: Engine, key: string, versionId?: string): Promise<string> {
  const reader = await engine.getObject({ bucket: 'bucket', key, ...(versionId === undefined ? {} : { versionId }) })
  return (await bytesOf(reader.read({ offset: 0, length: reader.version.sizeBytes }))).toString()
}
