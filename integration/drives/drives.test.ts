/** Several drives: what is stored outlives the loss, damage and replacement of as many as there are parities, while serving. */
import { rmSync } from 'node:fs'
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { afterEach, describe, expect, test } from 'vitest'
import { refusalOf, until } from '../server/client.ts'
import { spawnServer } from '../start-server.ts'
import { bucket, Deployment } from './deployment.ts'

const deployments: Deployment[] = []
const deploy = (count: number, env: Readonly<Record<string, string>> = {}): Deployment => {
  const deployment = new Deployment(count, env)
  deployments.push(deployment)
  return deployment
}

afterEach(async () => {
  for (const deployment of deployments.splice(0)) await deployment.remove()
})

const sizes = [0, 10, 65_536, 65_537, 300_000, 1_048_576, 5_000_001]

async function fill(deployment: Deployment, prefix = 'first'): Promise<void> {
  for (const size of sizes) await deployment.put(`${prefix}/${size}`, size)
}

// The first drive has the metadata: the losses below are among the others.
describe.each([[4, 2], [6, 3]])('%i drives', (count, parity) => {
  test(`outlive ${parity} of them: wiped, and replaced, without a restart`, async () => {
    const deployment = deploy(count)
    await deployment.startNew()
    await fill(deployment)
    await deployment.verify()
    const range = await deployment.get('first/5000001', 'bytes=3000000-3000099')
    expect(range.equals((await deployment.get('first/5000001')).subarray(3_000_000, 3_000_100))).toBe(true)
    const lost = Array.from({ length: parity - 1 }, (_, index) => count - index)
    for (const number of lost) deployment.wipe(number)
    await deployment.verify()
    await fill(deployment, 'degraded')
    await deployment.verify()
    const health = await fetch(`${deployment.server.endpoint}/minio/health/cluster`)
    expect([health.status, health.headers.get('x-minio-write-quorum')]).toEqual([200, String(count === 4 ? 3 : 4)])
    for (const number of lost) deployment.replace(number)
    await until('the drives are in use again', async () => (await deployment.status()).drives.every(({ state }) => state === 'ok'))
    await deployment.heal()
    // What was healed is needed now.
    for (let number = 2; number < 2 + parity; number++) if (!lost.includes(number)) deployment.wipe(number)
    await deployment.verify()
  })
})

test('damage to every shard of a drive is never served, and a scrub mends it', async () => {
  const deployment = deploy(6, { MORAINE_SCRUB_INTERVAL: '1s', MORAINE_SCRUB_RATE: '1000' })
  await deployment.startNew()
  await fill(deployment)
  for (let index = 0; index < 30; index++) await deployment.put(`more/${index}`, 70_000 + index * 4000)
  deployment.corrupt(3)
  await deployment.verify()
  const { id } = (await deployment.status()).scrub ?? {}
  await until('the scrubs that began before are over', async () => {
    const { scrub } = await deployment.status()
    return scrub !== undefined && scrub.id !== id && scrub.state === 'done'
  })
  const before = (await deployment.status()).scrub?.id
  await until('another scrub found nothing more', async () => {
    const { scrub } = await deployment.status()
    return scrub !== undefined && scrub.id !== before && scrub.state === 'done' && scrub.progress?.healedBlobs === 0
  })
  for (const number of [2, 4, 5]) deployment.wipe(number)
  await deployment.verify()
  expect(deployment.stored.size).toBe(sizes.length + 30)
})

async function tokenOf({ server: { endpoint, accessKeyId, secretAccessKey } }: Deployment): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: accessKeyId, client_secret: secretAccessKey, scope: 'PRINCIPAL_ROLE:ALL' })
  const answer = await fetch(`${endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: form })
  return (await answer.json() as { readonly access_token: string }).access_token
}

test('below the write quorum writes are refused, nothing of them is visible, and reads go on', async () => {
  const deployment = deploy(4)
  await deployment.startNew()
  await fill(deployment)
  const token = await tokenOf(deployment)
  for (const number of [3, 4]) deployment.wipe(number)
  expect(await refusalOf(deployment.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'refused', Body: Buffer.alloc(200_000) })))).toBe('503 SlowDownWrite')
  expect(await refusalOf(deployment.get('refused'))).toBe('404 NoSuchKey')
  await deployment.verify()
  await until('the health check says so', async () => (await fetch(`${deployment.server.endpoint}/minio/health/cluster`)).status === 503)
  expect((await fetch(`${deployment.server.endpoint}/minio/health/cluster/read`)).status).toBe(200)
  // Each worker looks at the drives for itself.
  await until('the status of every worker says so', async () => (await deployment.command('status', '--endpoint', deployment.server.endpoint)).code === 3)
  // The committer looks for itself too.
  await until('the metadata are only read', () => deployment.server.logs().includes('the metadata are read and not written'))
  // The catalog says the same in its own words: nothing was done, and to try again may help.
  const { endpoint } = deployment.server
  const headers = { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' }
  const answer = await fetch(`${endpoint}/iceberg/v1/lake/namespaces`, { method: 'POST', headers, body: JSON.stringify({ namespace: ['refused'] }) })
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await answer.json()).toMatchObject({ error: { type: 'ServiceUnavailableException', code: 503 } })
  expect((await fetch(`${endpoint}/iceberg/v1/lake/namespaces/refused`, { headers })).status).toBe(404)
  deployment.wipe(2)
  expect(await refusalOf(deployment.get('first/300000'))).toBe('503 SlowDownRead')
})

test('a drive with a copy of the metadata is wiped under load: no write fails, and every one is there after a start', async () => {
  const deployment = deploy(4)
  await deployment.startNew()
  const write = (round: string): Promise<unknown> => Promise.all([0, 1, 2, 3].map(async writer => {
    for (let index = 0; index < 30; index++) await deployment.putPatiently(`${round}/${writer}/${index}`, 60_000)
  }))
  await write('whole')
  // So many bytes need a new file of the journal, again and again.
  deployment.wipe(2)
  await write('wiped')
  expect((await deployment.get('wiped/0/0')).length).toBe(60_000)
  await deployment.server.kill9()
  await deployment.start()
  await deployment.verify()
}, 120_000)

test('multipart uploads and reduced redundancy', async () => {
  const deployment = deploy(4, { MINIO_STORAGE_CLASS_STANDARD: 'EC:2', MINIO_STORAGE_CLASS_RRS: 'EC:1' })
  await deployment.startNew()
  const place = { Bucket: bucket, Key: 'parts' }
  const { UploadId } = await deployment.s3.send(new CreateMultipartUploadCommand(place))
  const bodies = [Buffer.alloc(5 << 20, 1), Buffer.alloc(70_000, 2)]
  const Parts = []
  for (const [index, Body] of bodies.entries()) {
    const { ETag } = await deployment.s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: index + 1, Body }))
    Parts.push({ ETag, PartNumber: index + 1 })
  }
  await deployment.s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }))
  const reduced = Buffer.alloc(200_000, 3)
  await deployment.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'reduced', Body: reduced, StorageClass: 'REDUCED_REDUNDANCY' }))
  deployment.wipe(4)
  expect((await deployment.get('reduced')).equals(reduced)).toBe(true)
  deployment.wipe(3)
  expect((await deployment.get('parts')).equals(Buffer.concat(bodies))).toBe(true)
  expect(await refusalOf(deployment.get('reduced'))).toBe('503 SlowDownRead')
})

describe('a start', () => {
  test('with drives missing, empty, swapped or of another deployment names them; with too few it refuses', async () => {
    const deployment = deploy(6)
    await deployment.startNew()
    await fill(deployment)
    await deployment.stop()
    const other = deploy(6)
    await other.startNew()
    await other.stop()

    deployment.replace(6)
    deployment.wipe(5)
    await deployment.start()
    await deployment.verify()
    expect(deployment.server.logs()).toContain(`${deployment.drive(6)} is empty: it is formatted and healed`)
    expect(deployment.server.logs()).toContain(`${deployment.drive(5)}: there is no such directory`)
    await deployment.stop()

    const swapped = [1, 3, 2, 4].map(number => deployment.drive(number))
    const server = spawnServer(['server', '--address', '127.0.0.1:0', '--workers', '1', '--json', ...swapped, other.drive(5), deployment.drive(6)])
    await until('the server says what is wrong', () => server.logs().includes('"serving"'))
    expect(server.logs()).toContain(`${deployment.drive(3)} is given as drive 2 and is drive 3`)
    expect(server.logs()).toMatch(new RegExp(`${other.drive(5)} belongs to deployment [0-9a-f]{32}, not to [0-9a-f]{32}: it is not used`))
    await server.stop()

    for (const number of [2, 3, 4]) deployment.wipe(number)
    const refused = spawnServer(['server', '--address', '127.0.0.1:0', ...[1, 2, 3, 4, 5, 6].map(number => deployment.drive(number))])
    expect(await refused.ended).toBe(1)
    expect(refused.logs()).toMatch(/2 of 6 drives are there and 3 are needed: bring back .*drive2, .*drive3, .*drive4, .*drive5/)
    const fewer = spawnServer(['server', '--address', '127.0.0.1:0', deployment.drive(1), deployment.drive(6)])
    expect(await fewer.ended).toBe(1)
    expect(fewer.logs()).toContain('the deployment has 6 drives, and 2 are given')
    rmSync(other.root, { recursive: true })
  })
})

test('kill -9 under load, again and again, with a drive wiped, one corrupted and one replaced in the meantime', async () => {
  const deployment = deploy(6)
  await deployment.startNew()
  for (let round = 0; round < 5; round++) {
    let isKilled = false
    // A failure is thrown when all are over: a rejection that nobody awaits yet would end the test's process.
    const writers = Promise.allSettled(Array.from({ length: 4 }, async (_, writer) => {
      for (let index = 0; !isKilled; index++) await deployment.putPatiently(`${round}/${writer}/${index}`, 1 << (12 + (index % 10)), () => isKilled)
    }))
    await new Promise(resolve => setTimeout(resolve, 800))
    if (round === 1) deployment.wipe(2)
    if (round === 2) deployment.corrupt(5)
    if (round === 3) deployment.replace(2)
    await new Promise(resolve => setTimeout(resolve, 400))
    isKilled = true
    await deployment.server.kill9()
    expect((await writers).filter(({ status }) => status === 'rejected')).toEqual([])
    await deployment.start()
    await deployment.verify()
  }
  expect(deployment.stored.size).toBeGreaterThan(50)
  await until('the drives are in use again', async () => (await deployment.status()).drives.every(({ state }) => state === 'ok'))
  await deployment.heal()
  await deployment.stop()
  const { code, out } = await deployment.command('fsck', deployment.words)
  expect(`${code} ${out}`).toMatch(/^0 /)
}, 300_000)
