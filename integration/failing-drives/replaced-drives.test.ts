/** Every drive of a server replaced, one after the other, while it runs: nothing that is kept on all of them is lost with the last. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Deployment } from '../drives/deployment.ts'
import { workersOf } from '../server-processes.ts'
import { until } from '../server/client.ts'

/** Before the heal: the one that comes finds no keys on the new drive. */
async function replaceWorker({ server }: Deployment): Promise<void> {
  const [worker] = workersOf(server)
  if (worker === undefined) throw new Error('there is no worker')
  process.kill(worker, 'SIGKILL')
  await until('another worker serves', () => workersOf(server).length === 2 && !workersOf(server).includes(worker))
}

test('workers that start between, and a start after, read the keys that the first drives had', { timeout: 180_000 }, async () => {
  const deployment = new Deployment(4)
  deployment.mayBreakConnections = true
  const keyring = (number: number): string => readFileSync(join(deployment.drive(number), 'keyring.json'), 'utf8')
  try {
    await deployment.startNew()
    const first = keyring(1)
    for (const number of [1, 2, 3, 4]) {
      await deployment.putPatiently(`before/${number}`, 200_000)
      deployment.replace(number)
      await until('the drive is formatted', async () => (await deployment.status()).drives.every(({ state }) => state === 'ok'))
      if (number === 1) await replaceWorker(deployment)
      await deployment.heal()
      await deployment.verify()
      expect(keyring(number)).toBe(first)
    }
    expect(deployment.server.logs()).not.toMatch(/Keyring/)
    await deployment.stop()
    await deployment.start()
    await deployment.verify()
    await deployment.put('after', 200_000)
  } finally {
    await deployment.remove()
  }
})
