import type { Bucket } from '../engine.ts'
import { bucketIdOf, bucketUsageRow, outboxStateRow, ownerUsageRow, parseDueRow, tableRange, tables, uploadIdOf, usageStateRow } from '../keys.ts'
import type { Row } from '../metadata/metadata-store.ts'
import { commit, type EngineContext } from '../objects/context.ts'
import { cursorOf, outboxStateFormat } from '../outbox/outbox.ts'
import { bucketFormat } from '../records/bucket-record.ts'
import { partFormat } from '../records/part-record.ts'
import { headFormat, type VersionRecord, versionFormat } from '../records/version-record.ts'
import { bucketUsageFormat, type BucketUsageRecord, type OwnerUsage, ownerUsageFormat, usageStateFormat } from './usage-records.ts'

const rowsPerPage = 1000
const putsPerCommit = 1000

/**
 * Counts every row, unless the count is known to be right: at the first start that counts, and after events were dropped
 * uncounted. Only while nobody writes. The row that says how far events were counted is written last.
 */
export async function recountUsage(context: EngineContext): Promise<void> {
  const stored = await context.metadata.get(usageStateRow)
  if (stored !== undefined && usageStateFormat.decode(stored.value).isExact) return
  const countedThrough = await lastEvent(context)
  const buckets = await countBuckets(context)
  const owners = new Map<string, OwnerUsage>()
  for (const { ownerId, bytes, objects } of buckets.values()) {
    const sum = owners.get(ownerId) ?? { buckets: 0, bytes: 0, objects: 0 }
    owners.set(ownerId, { buckets: sum.buckets + 1, bytes: sum.bytes + bytes, objects: sum.objects + objects })
  }
  const puts = [
    ...[...buckets].map(([bucketId, usage]) => ({ key: bucketUsageRow(bucketId), value: bucketUsageFormat.encode(usage) })),
    ...[...owners].map(([ownerId, usage]) => ({ key: ownerUsageRow(ownerId), value: ownerUsageFormat.encode(usage) })),
  ]
  await clear(context)
  for (let from = 0; from < puts.length; from += putsPerCommit) {
    await commit(context, async (tx) => {
      for (const { key, value } of puts.slice(from, from + putsPerCommit)) tx.put(key, value)
    })
  }
  await commit(context, async (tx) => tx.put(usageStateRow, usageStateFormat.encode({ countedThrough, isExact: true })))
}

/** The cursor of the newest event; of the last that was dropped when none is left. */
async function lastEvent({ metadata }: EngineContext): Promise<string | undefined> {
  const [newest] = await metadata.list({ ...tableRange(tables.outbox), limit: 1, reverse: true })
  if (newest !== undefined) return cursorOf(newest.key)
  const state = await metadata.get(outboxStateRow)
  return state === undefined ? undefined : outboxStateFormat.decode(state.value).trimmedThrough
}

async function countBuckets(context: EngineContext): Promise<Map<string, BucketUsageRecord>> {
  const counts = new Map<string, { ownerId: string; bytes: number; objects: number; isRemoved: boolean }>()
  await each(context, tables.bucket, ({ value }) => {
    const { bucketId, ownerId }: Omit<Bucket, 'name'> = bucketFormat.decode(value)
    counts.set(bucketId, { ownerId, bytes: 0, objects: 0, isRemoved: false })
  })
  const add = (bucketId: string, bytes: number, objects: number): void => {
    const count = counts.get(bucketId)
    if (count === undefined) return
    count.bytes += bytes
    count.objects += objects
  }
  const addVersion = (row: Row, version: VersionRecord): void => {
    if (version.kind === 'object') add(bucketIdOf(row.key), version.sizeBytes, 1)
  }
  await each(context, tables.object, (row) => addVersion(row, headFormat.decode(row.value).version))
  await each(context, tables.version, (row) => addVersion(row, versionFormat.decode(row.value)))
  const uploads = new Map<string, string>()
  await each(context, tables.upload, ({ key }) => uploads.set(uploadIdOf(key), bucketIdOf(key)))
  await each(context, tables.due, ({ key, value }) => {
    const work = parseDueRow(key)
    if (work.kind === 'upload' && value.length > 0) uploads.set(work.uploadId, value.toString('hex'))
  })
  await each(context, tables.part, ({ key, value }) => {
    const bucketId = uploads.get(key.toString('hex', 1, 17))
    if (bucketId !== undefined) add(bucketId, partFormat.decode(value).sizeBytes, 0)
  })
  return counts
}

async function each({ metadata }: EngineContext, table: number, take: (row: Row) => unknown): Promise<void> {
  const { start: first, end } = tableRange(table)
  let start = first
  for (;;) {
    const rows = await metadata.list({ start, end, limit: rowsPerPage })
    for (const row of rows) take(row)
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < rowsPerPage) return
    start = Buffer.concat([last.key, Buffer.of(0)])
  }
}

/** What was counted before goes, the state last: a crash in between leaves a count that is known to be wrong. */
async function clear(context: EngineContext): Promise<void> {
  await commit(context, async (tx) => {
    if ((await tx.get(usageStateRow)) !== undefined) tx.put(usageStateRow, usageStateFormat.encode({ countedThrough: undefined, isExact: false }))
  })
  for (;;) {
    const rows = (await context.metadata.list({ ...tableRange(tables.usage), limit: putsPerCommit })).filter(({ key }) => !key.equals(usageStateRow))
    if (rows.length === 0) return
    await commit(context, async (tx) => {
      for (const { key } of rows) tx.delete(key)
    })
  }
}
