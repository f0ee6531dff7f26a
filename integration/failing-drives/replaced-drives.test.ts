/** The first drive of a server replaced while it runs: what is kept on every drive is read from another, and copied to the new one. */
import { existsSync, readFileSync } from 'node:fs'
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
    await deployment.putPatiently('before', 200_000)
    deployment.replace(1)
    await until('the drive is formatted', async () => (await deployment.status()).drives.every(({ state }) => state === 'ok'))
    await replaceWorker(deployment)
    await until('the drive has its copy of the keyring', () => existsSync(join(deployment.drive(1), 'keyring.json')))
    expect(keyring(1)).toBe(first)
    await deployment.verify()
    expect(deployment.server.logs()).not.toMatch(/Keyring/)
    await deployment.stop()
    await deployment.start()
    await deployment.verify()
    await deployment.put('after', 200_000)
  } finally {
    await deployment.remove()
  }
})
