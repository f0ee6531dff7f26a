/**
 * The crash probe: `kill -9` of every process of the server, again and again, under a mixed load. After each kill the
 * drive passes `moraine fsck`, and after each restart everything acknowledged is there with its bytes, ETag and version,
 * and what was under way is wholly there or wholly absent.
 */
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { connectCatalog, UnexpectedAnswer } from './catalog-client.ts'
import { seededRandom } from './content.ts'
import { emptyLedger } from './ledger.ts'
import { verifyListing, verifyWriter } from './verify.ts'
import { plainBucket, step, versionedBucket, type Connections, type Writer } from './writer.ts'

const kills = 50
const writerCount = 12
const shortestLoadMs = 200
const longestLoadMs = 1200
const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

function connectS3({ endpoint, accessKeyId, secretAccessKey }: StartedServer): S3Client {
  return new S3Client({
    endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey },
    requestHandler: { connectionTimeout: 5000, requestTimeout: 60_000, httpAgent: { keepAlive: true, maxSockets: 64 } },
  })
}

async function connect(server: StartedServer): Promise<Connections> {
  return { s3: connectS3(server), catalog: await connectCatalog({ ...server, namespace: 'crash' }) }
}

async function prepare({ s3, catalog }: Connections): Promise<Writer[]> {
  for (const Bucket of [plainBucket, versionedBucket]) await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutBucketVersioningCommand({ Bucket: versionedBucket, VersioningConfiguration: { Status: 'Enabled' } }))
  const writers: Writer[] = []
  for (let number = 0; number < writerCount; number += 1) {
    const names = catalog.multiTable && number % 2 === 0 ? [`pair${number}a`, `pair${number}b`] : [`single${number}`]
    for (const name of names) await catalog.createTable(name)
    writers.push({ number, ledger: emptyLedger(names), random: seededRandom(randomInt(2 ** 32 - 1)) })
  }
  return writers
}

/** Load until the kill. Resolves with the operations acknowledged; an answer that is an error is a defect of the server. */
async function loadAndKill(server: StartedServer, writers: readonly Writer[], connections: Connections, loadMs: number): Promise<number> {
  let killed = false
  let acknowledged = 0
  const run = async (writer: Writer) => {
    while (!killed) {
      try {
        await step(writer, connections)
        acknowledged += 1
      } catch (error) {
        const answered = error instanceof UnexpectedAnswer || (error instanceof S3ServiceException && error.$response !== undefined && error.$metadata.httpStatusCode !== undefined)
        if (answered || !killed) throw error
      }
    }
  }
  const writing = Promise.all(writers.map(run))
  await Promise.race([writing, new Promise(resolve => setTimeout(resolve, loadMs))])
  killed = true
  await server.kill9()
  await writing
  connections.s3.destroy()
  return acknowledged
}

function fsck(drive: string): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [program, 'fsck', drive], { timeout: 120_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, output: `${stdout}${stderr}` })
    })
  })
}

/** An error says where it came from, with what the server had to say. */
async function during<T>(phase: string, server: StartedServer, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const told = server.logs().split('\n').filter(line => !line.includes('"msg":"request"') || line.includes('"status":5'))
    throw new Error(`in ${phase}: ${String(error)}\n${told.slice(-20).join('\n')}`, { cause: error })
  }
}

async function verify(writers: readonly Writer[], connections: Connections, everything: boolean): Promise<string[]> {
  const differences: string[] = []
  const report = (line: string) => differences.push(line)
  await Promise.all(writers.map(({ ledger }) => verifyWriter(ledger, connections, everything, report)))
  await verifyListing(connections.s3, writers.map(({ ledger }) => ledger), report)
  return differences
}

test(`${kills} kills lose nothing that was acknowledged`, { timeout: 600_000 }, async () => {
  const drive = await mkdtemp(join(tmpdir(), 'moraine-crash-'))
  let server = await startServer({ drive, workers: 2 })
  let connections = await connect(server)
  const writers = await prepare(connections)
  const random = seededRandom(randomInt(2 ** 32 - 1))
  let acknowledged = 0
  for (let kill = 1; kill <= kills; kill += 1) {
    const loadMs = shortestLoadMs + random() * (longestLoadMs - shortestLoadMs)
    acknowledged += await during(`the load before kill ${kill}`, server, loadAndKill(server, writers, connections, loadMs))
    const checked = await fsck(drive)
    expect(checked, `fsck after kill ${kill}: ${checked.output}`).toMatchObject({ code: 0 })
    server = await startServer({ drive, workers: 2 })
    connections = await connect(server)
    const differences = await during(`the reads after kill ${kill}`, server, verify(writers, connections, kill % 10 === 0))
    expect(differences, `after kill ${kill}`).toEqual([])
    if (kill % 10 === 0) console.log(`${kill} kills, ${acknowledged} operations acknowledged`)
  }
  // Everything once more, after a stop that is not a crash.
  expect(await server.stop()).toBe(0)
  server = await startServer({ drive, workers: 2 })
  connections = await connect(server)
  expect(await verify(writers, connections, true)).toEqual([])
  expect(await server.stop()).toBe(0)
  expect((await fsck(drive)).code).toBe(0)
  // Fewer would mean that the kills came before any load.
  expect(acknowledged).toBeGreaterThan(kills * 20)
  await rm(drive, { recursive: true })
})
