import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { must } from '../../base/assert.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { keyRow, tableRange, tables } from '../keys.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { bodyOf, digestOf, memoryEngine, owner, plain, put, textOf } from '../objects/test-engine.ts'
import { openDeployment, prepareDeployment } from '../open-deployment.ts'
import { openEngine } from '../open-engine.ts'
import { fsck, fsckDrives } from './fsck.ts'
import type { Finding } from './report.ts'

const bucket = 'bucket'
const long = 'longer than sixteen bytes'

/** A bucket with an example of everything, in order. */
async function openExample() {
  const all = memoryEngine({ inlineBytes: 16 })
  const { engine } = all
  await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1', versioning: 'Enabled' })
  await put(engine, 'inline', 'short')
  await put(engine, 'blob', long)
  await put(engine, 'history', 'one')
  await put(engine, 'history', long)
  await engine.deleteObject({ bucket, key: 'history', ownerId: owner })
  const upload = { bucket, key: 'parts', attributes: plain, ownerId: owner }
  const { uploadId } = await engine.createUpload(upload)
  const part = await engine.putPart({ ...upload, uploadId, partNumber: 1, body: bodyOf(long), finish: () => digestOf(long) })
  await engine.completeUpload({ ...upload, uploadId, parts: [part], combine: () => digestOf('x'), minimumPartBytes: 1 })
  const { uploadId: open } = await engine.createUpload(upload)
  await engine.putPart({ ...upload, uploadId: open, partNumber: 1, body: bodyOf(long), finish: () => digestOf(long) })
  const { bucketId } = await engine.headBucket(bucket)
  return { ...all, bucketId }
}

const change = (store: MetadataStore, puts: { key: Uint8Array; value: Uint8Array }[], deletes: Uint8Array[] = []) =>
  store.commit({ checks: [], puts, deletes, appends: [] })

async function firstRow(store: MetadataStore, table: number) {
  const [row] = await store.list({ ...tableRange(table), limit: 1 })
  return must(row, 'the table has a row')
}

type Example = Awaited<ReturnType<typeof openExample>>

const damages: readonly (readonly [what: string, damage: (example: Example) => Promise<unknown>, finding: Pick<Finding, 'severity' | 'code'>])[] = [
  ['inline bytes that are gone', async ({ metadata }) => change(metadata, [], [(await firstRow(metadata, tables.content)).key]), { severity: 'lost', code: 'BytesMissing' }],
  ['inline bytes that are cut', async ({ metadata }) => change(metadata, [{ key: (await firstRow(metadata, tables.content)).key, value: Buffer.from('x') }]), { severity: 'lost', code: 'SizeWrong' }],
  ['a blob that is gone', async ({ blobs }) => deleteFirstBlob(blobs), { severity: 'lost', code: 'BytesMissing' }],
  ['a reference that is gone', async ({ metadata }) => change(metadata, [], [(await firstRow(metadata, tables.reference)).key]), { severity: 'wrong', code: 'ReferenceMissing' }],
  ['a reference that is dropped', async ({ metadata }) => change(metadata, [{ key: (await firstRow(metadata, tables.reference)).key, value: Buffer.of(0) }]), { severity: 'wrong', code: 'ReferenceMissing' }],
  ['a layout that is gone', async ({ metadata }) => change(metadata, [], [(await firstRow(metadata, tables.layout)).key]), { severity: 'lost', code: 'BytesMissing' }],
  ['a head that is gone', async ({ metadata, bucketId }) => change(metadata, [], [keyRow(tables.marker, bucketId, 'history')]), { severity: 'lost', code: 'RowStray' }],
  ['a history that is gone', async ({ metadata }) => dropTable(metadata, tables.version), { severity: 'wrong', code: 'HistoryWrong' }],
  ['a bucket that is gone', async ({ metadata }) => change(metadata, [], [(await firstRow(metadata, tables.bucket)).key]), { severity: 'lost', code: 'RowStray' }],
  ['a row of another format', async ({ metadata, bucketId }) => change(metadata, [{ key: keyRow(tables.object, bucketId, 'inline'), value: Buffer.from('\u0009[]') }]), { severity: 'lost', code: 'RowMalformed' }],
  ['a row that is cut', async ({ metadata, bucketId }) => change(metadata, [{ key: keyRow(tables.object, bucketId, 'inline'), value: Buffer.from('\u0001[[') }]), { severity: 'lost', code: 'RowMalformed' }],
  ['a flipped bit in a row', async ({ metadata, bucketId }) => metadata.tamper(keyRow(tables.object, bucketId, 'inline'), flip), { severity: 'lost', code: 'RowUnreadable' }],
  ['a blob that nobody uses', async ({ blobs }) => blobs.write(bodyOf(long)), { severity: 'garbage', code: 'BlobUnused' }],
  ['inline bytes that nobody uses', async ({ metadata }) => change(metadata, [{ key: Buffer.concat([Buffer.of(tables.content), Buffer.alloc(16)]), value: Buffer.alloc(1) }]), { severity: 'garbage', code: 'ReferenceUnused' }],
]

function flip(stored: Buffer): void {
  stored[stored.length - 1] = (stored[stored.length - 1] ?? 0) ^ 1
}

async function deleteFirstBlob(blobs: Example['blobs']): Promise<void> {
  for await (const { blobId } of blobs.list()) return blobs.delete(blobId)
}

async function dropTable(store: MetadataStore, table: number): Promise<void> {
  const rows = await store.list({ ...tableRange(table), limit: 100 })
  await change(store, [], rows.map(({ key }) => key))
}

describe('fsck', () => {
  it('finds nothing wrong with an example of everything', async () => {
    const { metadata, blobs } = await openExample()
    const report = await fsck({ metadata, blobs, readBytes: true })
    expect(report).toMatchObject({ verdict: 'clean', findings: [], awaitingCollection: 0 })
    expect(report.checked).toMatchObject({ buckets: 1, keys: 4, versions: 6, uploads: 1, parts: 1, blobs: 4 })
  })

  it.each(damages)('finds %s', async (_, damage, finding) => {
    const example = await openExample()
    await damage(example)
    const { findings, verdict } = await fsck({ ...example, readBytes: true })
    expect(findings).toContainEqual(expect.objectContaining(finding))
    expect(verdict).toBe(finding.severity === 'garbage' ? 'clean' : finding.severity)
  })
})

describe('a drive', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moraine-fsck-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })
  const machine = { clock: systemClock, random: systemRandom }

  it('is prepared once, opened by many, and checked while nobody serves it', async () => {
    const drive = join(directory, 'new', 'drive')
    await expect(fsckDrives({ drives: [drive], ...machine })).rejects.toThrow()
    const prepared = await prepareDeployment({ drives: [drive], clock: systemClock, random: systemRandom })
    await expect(prepareDeployment({ drives: [drive], clock: systemClock, random: systemRandom })).rejects.toMatchObject({ code: 'Locked' })
    await expect(fsckDrives({ drives: [drive], ...machine })).rejects.toMatchObject({ code: 'Locked' })
    const stores = await openDeployment({ drives: [drive], ...machine })
    expect(stores.deploymentId).toBe(prepared.deploymentId)
    const engine = openEngine({ ...stores, ...machine })
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    const text = 'large '.repeat(100_000)
    await put(engine, 'large', text)
    expect(await textOf(engine, 'large')).toBe(text)
    await stores.close()
    prepared.release()
    expect(await fsckDrives({ drives: [drive], ...machine, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [], checked: { blobs: 1 } })
  })

  it('of several, whose copy of the metadata lacks a row, is told of and repaired from a copy that is whole', async () => {
    const drives = [1, 2, 3, 4].map((number) => join(directory, `drive${number}`))
    const prepared = await prepareDeployment({ drives, clock: systemClock, random: systemRandom })
    const stores = await openDeployment({ drives, ...machine })
    const engine = openEngine({ ...stores, ...machine })
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    // Long enough that the rows of few keys fill pages.
    const keyOf = (n: number): string => `key-${n}/`.padEnd(800, 'x')
    for (let n = 0; n < 20; n++) await put(engine, keyOf(n), 'large '.repeat(20_000))
    const row = keyRow(tables.object, (await engine.headBucket(bucket)).bucketId, keyOf(10))
    const copies = await stores.copies()
    expect(copies).toHaveLength(3)
    await stores.close()
    prepared.release()
    for (const copy of copies.slice(0, 2)) hideNeighbour(join(copy, 'data.mdb'), row)
    const report = await fsckDrives({ drives, ...machine })
    expect(report.findings.filter(({ code }) => code === 'RowsMissing').map(({ severity, subject }) => [severity, subject])).toEqual(copies.slice(0, 2).map((copy) => ['wrong', copy]))
    expect(report.verdict).not.toBe('clean')
    expect(await fsckDrives({ drives, ...machine, repair: true, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [], checked: { keys: 20 } })
    expect(await fsckDrives({ drives, ...machine })).toMatchObject({ verdict: 'clean', findings: [] })
    // Of all of them: nothing is there to repair from, and nothing is taken for garbage.
    for (const copy of copies) hideNeighbour(join(copy, 'data.mdb'), row)
    expect(await fsckDrives({ drives, ...machine, repair: true })).toMatchObject({ verdict: 'lost' })
  }, 30_000)

  it('that holds something else is left untouched', async () => {
    writeFileSync(join(directory, 'precious.txt'), 'x')
    await expect(prepareDeployment({ drives: [directory], clock: systemClock, random: systemRandom })).rejects.toMatchObject({ code: 'Foreign' })
    await expect(openDeployment({ drives: [directory], ...machine })).rejects.toMatchObject({ code: 'Foreign' })
  })
})

/** The leaf pages of an LMDB file that hold a row say that they end before their last one. See `MDB_page` in `mdb.c`. */
function hideNeighbour(path: string, row: Buffer): void {
  const [pageBytes, flagsAt, lowerAt, leafFlag] = [4096, 16 + 2, 20, 2]
  const file = readFileSync(path)
  for (let page = 2 * pageBytes; page < file.length; page += pageBytes) {
    if (file.readUInt16LE(page + flagsAt) !== leafFlag || !file.subarray(page, page + pageBytes).includes(row)) continue
    file.writeUInt16LE(file.readUInt16LE(page + lowerAt) - 2, page + lowerAt)
  }
  writeFileSync(path, file)
}
