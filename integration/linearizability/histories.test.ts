/**
 * Histories of clients of a server with two workers over four drives, while workers and committers are killed and drives are
 * lost and replaced: each key's history must be linearizable.
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seededRandom } from '../crash/content.ts'
import { bucket, Deployment } from '../drives/deployment.ts'
import { until } from '../server/client.ts'
import { committerOf, workersOf } from '../server-processes.ts'
import type { StartedServer } from '../start-server.ts'
import { isLinearizable } from './checker.ts'
import { runRound } from './clients.ts'
import { objectModel, type KeyOperation } from './object-model.ts'

const rounds = 27
/** Processes that die soon after each other are replaced later and later: another server begins afresh, after a kill of everything. */
const roundsOfServer = 9
const seed = 1
const shape = { clients: 8, keys: 4, operationsPerClient: 20 }
/** Of a round, from its beginning. */
const longestWaitMs = 400

type Disruption = 'none' | 'worker' | 'workers' | 'committer' | 'drive' | 'everything'
const disruptions: readonly Disruption[] = ['worker', 'committer', 'drive', 'none', 'workers', 'committer', 'drive', 'everything', 'worker']

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** A drive that is gone comes back empty, and is whole again before the next one goes. */
async function bringBack(deployment: Deployment, gone: Set<number>): Promise<void> {
  for (const number of gone) deployment.replace(number)
  gone.clear()
  await until('the drives are in use', async () => (await deployment.status()).drives.every(({ state }) => state === 'ok'))
  await deployment.heal()
}

function loseDrive(deployment: Deployment, gone: Set<number>, random: () => number): void {
  // Half of them the first, whose copy of the metadata workers read: its loss moves all of them to another.
  const number = random() < 0.5 ? 1 : 1 + Math.floor(random() * deployment.count)
  deployment.wipe(number)
  gone.add(number)
}

/** An error says what the server had to say. */
async function recovered({ server }: Deployment, when: string): Promise<void> {
  try {
    await until('both workers and the committer are there', () => workersOf(server).length === 2 && committerOf(server) !== undefined)
    await until('the server answers', () => isReady(server))
  } catch (error) {
    throw new Error(`${when}: ${String(error)}\n${server.logs().slice(-4000)}`, { cause: error })
  }
}

async function isReady({ endpoint }: StartedServer): Promise<boolean> {
  return fetch(`${endpoint}/minio/health/ready`).then(({ status }) => status === 200, () => false)
}

function disrupt(what: Disruption, deployment: Deployment, gone: Set<number>, random: () => number): void {
  const { server } = deployment
  if (what === 'worker') kill(workersOf(server)[0])
  if (what === 'workers' || what === 'everything') workersOf(server).forEach(kill)
  if (what === 'committer' || what === 'everything') kill(committerOf(server))
  if (what === 'drive') loseDrive(deployment, gone, random)
}

/** Kept for whoever looks into it. */
function report(key: string, history: readonly KeyOperation[]): string {
  const path = join(tmpdir(), `moraine-history-${key.replaceAll('/', '-')}.json`)
  writeFileSync(path, JSON.stringify(history, undefined, 1))
  return `${key}: ${history.length} operations, in ${path}`
}

test(`${rounds} rounds over ${shape.keys} keys each: no history is against the order of one object`, { timeout: 540_000 }, async () => {
  const deployment = new Deployment(4)
  const random = seededRandom(seed)
  const gone = new Set<number>()
  const tally = { histories: 0, operations: 0, done: 0, refused: 0, unknown: 0 }
  try {
    await deployment.startNew()
    const violations: string[] = []
    for (let round = 0; round < rounds; round++) {
      if (round > 0 && round % roundsOfServer === 0) {
        await deployment.server.kill9()
        await deployment.start()
      }
      const disruption = disruptions[round % disruptions.length] ?? 'none'
      if (disruption === 'drive' && gone.size > 0) await bringBack(deployment, gone)
      const timer = setTimeout(() => disrupt(disruption, deployment, gone, random), random() * longestWaitMs)
      const histories = await runRound({ ...shape, s3: deployment.s3, bucket, prefix: `round${round}/`, random })
      clearTimeout(timer)
      for (const [key, history] of histories) {
        tally.histories++
        tally.operations += history.length
        for (const { output, answeredAt } of history) if (answeredAt === Infinity) tally.unknown++; else if (output.kind !== 'seen') tally[output.kind]++
        if (!isLinearizable(history, objectModel)) violations.push(report(key, history))
      }
      await recovered(deployment, `round ${round}, ${disruption}`)
    }
    console.log(JSON.stringify(tally))
    expect(violations).toEqual([])
    expect(tally.histories).toBeGreaterThanOrEqual(100)
    expect(tally.done).toBeGreaterThan(rounds * 20)
    expect(tally.refused).toBeGreaterThan(rounds * 5)
    expect(tally.unknown).toBeGreaterThan(rounds / 2)
  } finally {
    await deployment.remove()
  }
})
