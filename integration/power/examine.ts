/**
 * A process that opens the drives as the server does after a power loss and says what is wrong with them. Orders come and
 * verdicts go by messages; it does not live in the tests' process, because a damaged index may end it.
 */
import { createHash } from 'node:crypto'
import { systemClock, systemRandom } from '../../base/system.ts'
import { openDeployment, openEngine, prepareDeployment, fsck, type Engine } from '../../engine/index.ts'
import type { Expectation } from './history.ts'

export interface Order {
  readonly drives: readonly string[]
  readonly bucket: string
  readonly expected: readonly Expectation[]
}

export interface Verdict {
  /** Empty: all is well. */
  readonly problems: readonly string[]
}

process.on('message', (order: Order) => {
  void examine(order).catch((error: unknown) => [String(error instanceof Error ? error.stack : error)]).then(problems => process.send?.({ problems } satisfies Verdict))
})

async function examine({ drives, bucket, expected }: Order): Promise<string[]> {
  const prepared = await prepareDeployment({ drives, clock: systemClock, random: systemRandom })
  try {
    const deployment = await openDeployment({ drives, clock: systemClock, random: systemRandom })
    try {
      const engine = openEngine({ ...deployment, clock: systemClock, random: systemRandom })
      const problems = await compare(engine, bucket, expected)
      await work(engine, bucket)
      const { keeper } = deployment
      if (keeper.isErasureCoded) {
        await keeper.examine()
        await keeper.formatReplaced()
        const { waitingBlobs } = await keeper.walk({ kind: 'everything', signal: new AbortController().signal, onProgress: async () => {} })
        const isWhole = keeper.paths.length === drives.length
        if (isWhole && waitingBlobs > 0) problems.push(`${waitingBlobs} blobs are not whole after the heal, although all drives are there`)
      }
      const { verdict, findings } = await fsck({ ...deployment, readBytes: true })
      const worst = findings.filter(({ code }) => code !== 'BlobUnused').map(finding => JSON.stringify(finding))
      if (verdict !== 'clean' || worst.length > 0) problems.push(`fsck is ${verdict}: ${worst.slice(0, 3).join(' ')}`)
      return problems
    } finally {
      await deployment.close()
    }
  } finally {
    prepared.release()
  }
}

/** Every key holds one of the states that it may hold, and the listing shows the same. */
async function compare(engine: Engine, bucket: string, expected: readonly Expectation[]): Promise<string[]> {
  const problems: string[] = []
  const { entries } = await engine.listObjects({ bucket, limit: 1000 })
  const listed = new Map(entries.flatMap(entry => (entry.kind === 'object' ? [[entry.key, entry.sizeBytes] as const] : [])))
  for (const { key, allowed } of expected) {
    const found = await read(engine, bucket, key)
    if (!allowed.includes(found?.digest ?? null)) problems.push(`${key} holds ${found?.digest ?? 'nothing'} and should hold ${allowed.join(' or ')}`)
    if (listed.get(key) !== found?.sizeBytes) problems.push(`${key} is listed with ${listed.get(key)} bytes and has ${found?.sizeBytes}`)
  }
  return problems
}

async function read(engine: Engine, bucket: string, key: string): Promise<{ readonly digest: string; readonly sizeBytes: number } | undefined> {
  const reader = await engine.getObject({ bucket, key }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'NoSuchKey') return undefined
    throw error
  })
  if (reader === undefined) return undefined
  const hash = createHash('sha1')
  let sizeBytes = 0
  for await (const piece of reader.read({ offset: 0, length: reader.version.sizeBytes })) {
    hash.update(piece)
    sizeBytes += piece.length
  }
  return { digest: hash.digest('hex'), sizeBytes }
}

/** New writes of both kinds are taken. */
async function work(engine: Engine, bucket: string): Promise<void> {
  for (const sizeBytes of [100, 200_000]) {
    const body = Buffer.alloc(sizeBytes, 'after the power came back')
    await engine.putObject({
      bucket, key: `after/${sizeBytes}`, body: (async function* () { yield body })(), ownerId: 'a'.repeat(64),
      finish: () => ({ etag: String(sizeBytes), checksums: [] }), attributes: { headers: {}, userMetadata: {}, storageClass: 'STANDARD' },
    })
    const found = await read(engine, bucket, `after/${sizeBytes}`)
    if (found?.sizeBytes !== sizeBytes) throw new Error('what is written after the power came back cannot be read')
  }
}
