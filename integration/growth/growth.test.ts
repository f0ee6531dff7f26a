/** Sets of drives that come and go: added, emptied under load and through kill -9, left out, made even. */
import { join } from 'node:path'
import { CreateBucketCommand, DeleteObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, expect, test } from 'vitest'
import { bucket, Deployment } from '../drives/deployment.ts'
import { until } from '../server/client.ts'
import { spawnServer } from '../start-server.ts'

const deployments: Deployment[] = []
afterEach(async () => {
  for (const deployment of deployments.splice(0)) await deployment.remove()
})

/** Drives 1 to `first` make the first set; the others wait. */
function deploy(count: number, first: number, env: Readonly<Record<string, string>> = {}) {
  const deployment = new Deployment(count, env)
  deployments.push(deployment)
  const word = (from: number, to: number): string => join(deployment.root, from === to ? `drive${from}` : `drive{${from}...${to}}`)
  return { deployment, old: word(1, first), added: word(first + 1, count) }
}

async function refusal(...words: readonly string[]): Promise<string> {
  const server = spawnServer(['server', '--address', '127.0.0.1:0', '--quiet', ...words])
  expect(await server.ended).toBe(1)
  return server.logs()
}

/** Writers, readers and deleters until `stop`; a failure while `isDown` says so is expected. */
function load(deployment: Deployment, name: string) {
  const state = { isOver: false, isDown: false, reads: 0, writes: 0 }
  const failures: unknown[] = []
  const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
  const clients = Array.from({ length: 3 }, async (_, client) => {
    for (let index = 0; !state.isOver; index++) {
      const key = `${name}/${client}/${index}`
      try {
        await deployment.put(key, 1 << (14 + (index % 6)))
        state.writes++
        await deployment.get(`first/${index % 40}`)
        state.reads++
        if (index % 5 === 4) {
          const old = `${name}/${client}/${index - 1}`
          deployment.stored.delete(old)
          await deployment.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: old }))
        }
        await pause(300)
      } catch (error) {
        if (!state.isDown) failures.push(error)
        await pause(100)
      }
    }
  })
  return {
    state,
    stop: async () => {
      state.isOver = true
      await Promise.all(clients)
      expect(failures).toEqual([])
    },
  }
}

test('a set is added, another emptied under load through kill -9, and left out: nothing is lost', async () => {
  const { deployment, old, added } = deploy(7, 4, { MORAINE_MOVE_RATE: '8' })
  await deployment.start([old])
  await deployment.s3.send(new CreateBucketCommand({ Bucket: bucket }))
  for (let index = 0; index < 20; index++) await deployment.put(`first/${index}`, 200_000 + index)
  await deployment.stop()

  // A start that is not the deployment's is refused, whatever it would do.
  expect(await refusal(old, deployment.drive(5))).toContain(`${deployment.drive(5)} alone cannot be added`)
  await deployment.start([old, added])
  expect(deployment.server.logs()).toContain('3 empty drives are added as set 2')
  for (let index = 20; index < 40; index++) await deployment.put(`first/${index}`, 600_000 + index)
  expect(deployment.shardFiles(5).length).toBeGreaterThan(2)
  await deployment.verify()
  await deployment.stop()
  expect(await refusal(old)).toMatch(/\d+ blobs are stored on set 2, whose drives are not given/)

  await deployment.start([old, added])
  const traffic = load(deployment, 'load')
  await until('there is load', () => traffic.state.writes > 10)
  await deployment.run('decommission', deployment.drive(6))
  await until('some are moved', async () => ((await deployment.status()).moves?.decommissions[0]?.progress?.movedBlobs ?? 0) > 3)
  expect((await deployment.status()).sets.map(({ state }) => state)).toEqual(['active', 'draining'])
  traffic.state.isDown = true
  await deployment.server.kill9()
  const { code: amid, out: amidReport } = await deployment.command('fsck', old, added)
  expect(`${amid} ${amidReport}`).toMatch(/^0 /)
  await deployment.start([old, added])
  traffic.state.isDown = false
  await deployment.verify()
  const out = await deployment.run('decommission', '2', '--wait')
  expect(out).toMatch(/Decommission of set 2: done, \d+ blobs, \d+ MiB moved; its drives may be left out at the next start/)
  const { writes, reads } = traffic.state
  await until('the load goes on', () => traffic.state.writes > writes + 5 && traffic.state.reads > reads + 5)
  await traffic.stop()
  await deployment.verify()
  await deployment.stop()
  const { code, out: report } = await deployment.command('fsck', '--quick', old, added)
  expect(`${code} ${report}`).toMatch(/^0 /)

  await deployment.start([old])
  for (const number of [5, 6, 7]) deployment.wipe(number)
  await deployment.verify()
  await deployment.put('after', 200_000)
  await deployment.verify()
  expect(await deployment.run('status')).toContain('Set 2: given up')
  await deployment.stop()
  const { code: last, out: lastReport } = await deployment.command('fsck', old)
  expect(`${last} ${lastReport}`).toMatch(/^0 /)
}, 400_000)

test('one drive gives way to a set: evened out, emptied, the metadata moved, and left out', async () => {
  const { deployment, old, added } = deploy(5, 1)
  await deployment.start([old])
  await deployment.s3.send(new CreateBucketCommand({ Bucket: bucket }))
  for (let index = 0; index < 30; index++) await deployment.put(`first/${index}`, 100_000 + index)
  await deployment.stop()
  await deployment.start([old, added])
  const lines = (await deployment.run('rebalance', '--wait', '--json')).trim().split('\n')
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ state: 'done', progress: { failedBlobs: 0 } })
  // Each of the four drives is to be as full as the one.
  const moved = deployment.shardFiles(2).length
  expect(moved).toBeGreaterThan(7)
  expect(moved).toBeLessThan(23)
  await deployment.verify()
  for (const [method, path] of [['GET', 'moves'], ['POST', 'rebalance'], ['DELETE', 'rebalance'], ['POST', 'sets/1/decommission'], ['DELETE', 'sets/1/decommission']]) {
    expect((await fetch(`${deployment.server.endpoint}/_moraine/v1/${path}`, { method: method ?? '' })).status).toBe(403)
  }
  expect((await deployment.command('decommission', '3', '--endpoint', deployment.server.endpoint)).out).toContain('There is no set 3')
  expect(await deployment.run('decommission', deployment.drive(1), '--wait')).toMatch(/Decommission of set 1: done, \d+ blobs.*the metadata leave it at the next start with all drives/)
  expect((await deployment.command('decommission', '2', '--endpoint', deployment.server.endpoint)).out).toContain('No other set would take the blobs')
  await deployment.stop()
  expect(await refusal(added)).toContain('the metadata are on drives that are not given')

  await deployment.start([old, added])
  expect(deployment.server.logs()).toContain('the metadata were moved from set 1 to set 2')
  await deployment.put('between', 100_000)
  await deployment.stop()
  await deployment.start([added])
  deployment.wipe(1)
  await deployment.put('after', 100_000)
  await deployment.verify()
  expect((await deployment.status()).sets.map(({ state, hasMetadata }) => [state, hasMetadata])).toEqual([['givenUp', false], ['active', true]])
  await deployment.stop()
  const { code, out } = await deployment.command('fsck', added)
  expect(`${code} ${out}`).toMatch(/^0 /)
}, 400_000)
