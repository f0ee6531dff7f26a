/** Drives that go, come back, fill up, cannot be written or are cut short under a server that goes on. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { open as openLmdb } from 'lmdb'
import { afterEach, expect, test } from 'vitest'
import { refusalOf, until } from '../server/client.ts'
import { bucket, Deployment, digest } from './deployment.ts'

const deployments: Deployment[] = []
const mounts: string[] = []
const deploy = (count: number, env: Readonly<Record<string, string>> = {}): Deployment => {
  const deployment = new Deployment(count, env)
  deployments.push(deployment)
  return deployment
}

afterEach(async () => {
  for (const deployment of deployments) await deployment.killed()
  for (const path of mounts.splice(0)) execFileSync('umount', ['-l', path])
  for (const deployment of deployments.splice(0)) await deployment.remove()
})

const saysSo = (deployment: Deployment, text: string | RegExp): (() => boolean) => () => (typeof text === 'string' ? deployment.server.logs().includes(text) : text.test(deployment.server.logs()))

/** Whether this machine lets us mount; tests that have to are skipped where it does not. */
const mayMount = ((): boolean => {
  const probe = mkdtempSync(join(tmpdir(), 'moraine-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe], { stdio: 'ignore' })
    execFileSync('umount', [probe])
    return true
  } catch {
    return false
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
})()

function mount(words: readonly string[], path: string): void {
  execFileSync('mount', [...words, path])
  mounts.push(path)
}

/** Processes of the server that run its program with no other argument: its workers. */
function workersOf({ server }: Deployment): string[] {
  return readdirSync('/proc').filter(name => {
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
      return parent === String(server.pid) && !readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('serve-commits')
    } catch {
      return false
    }
  })
}

test('two drives of which one is lost: a start reads, refuses to write, and writes again once the drive is replaced', async () => {
  const deployment = deploy(2)
  await deployment.startNew()
  await deployment.put('small', 1000)
  await deployment.put('large', 300_000)
  await deployment.stop()
  deployment.wipe(1)
  await deployment.start()
  await deployment.verify()
  for (const size of [1000, 300_000]) expect(await refusalOf(deployment.put('refused', size))).toBe('503 SlowDownWrite')
  expect(await refusalOf(deployment.get('refused'))).toBe('404 NoSuchKey')
  deployment.replace(1)
  await deployment.putPatiently('after', 1000)
  await deployment.heal()
  deployment.wipe(2)
  await deployment.verify()
}, 120_000)

test('the drive whose metadata are read is wiped and replaced: workers read another copy, and the copies are as many as before', async () => {
  const deployment = deploy(4, { MORAINE_LOG_LEVEL: 'info' })
  await deployment.startNew()
  // One worker answers before the other has begun.
  await until('both workers serve', saysSo(deployment, '"serving"'))
  await deployment.put('before', 300_000)
  await deployment.put('inline', 500)
  const workers = workersOf(deployment)
  expect(workers.length).toBe(2)
  deployment.wipe(1)
  await deployment.putPatiently('wiped', 500)
  await until('another copy is read', saysSo(deployment, 'the copies of the metadata change'))
  await deployment.putPatiently('moved', 500)
  await deployment.verify()
  deployment.replace(1)
  await until('the drive is in use again', async () => (await deployment.status()).drives.every(({ state }) => state === 'ok'))
  await deployment.heal()
  // Two more of the first three: what they knew is on the fourth by now. So few can only be read.
  for (const number of [2, 3]) deployment.wipe(number)
  await until('the metadata are only read', saysSo(deployment, 'the metadata are read and not written'))
  await deployment.verify()
  expect(await refusalOf(deployment.put('refused', 500))).toBe('503 SlowDownWrite')
  expect(workersOf(deployment)).toEqual(workers)
}, 120_000)

test('an index that is cut short under its readers ends them, and another copy takes its place without a restart', async () => {
  const deployment = deploy(4)
  deployment.mayBreakConnections = true
  await deployment.startNew()
  const index = join(deployment.drive(1), 'metadata', 'data.mdb')
  const bytes: number[] = []
  for (let index = 0; index < 150; index++) await deployment.put(`${index % 10}/${index}`, index % 3 === 0 ? 100_000 : 20_000)
  const writing = (async () => {
    for (let index = 0; bytes.length === 0 || index < 100; index++) await deployment.putPatiently(`during/${index}`, 5000)
  })()
  truncateSync(index, 4096 * 4)
  await deployment.verify()
  bytes.push(1)
  await writing
  await until('the copy is made anew', saysSo(deployment, /SIGBUS|SIGSEGV|SIGABRT/))
  await deployment.verify()
  await deployment.stop()
  await deployment.start()
  await deployment.verify()
  await deployment.stop()
  const { code, out } = await deployment.command('fsck', deployment.words)
  expect(`${code} ${out}`).toMatch(/^0 /)
}, 120_000)

test('bytes flipped in every third page of the index that is read: never a wrong value, and nothing is missed once it is noticed', async () => {
  const deployment = deploy(4)
  deployment.mayBreakConnections = true
  await deployment.startNew()
  for (let index = 0; index < 120; index++) await deployment.put(`${index % 7}/${index}`, index % 3 === 0 ? 30_000 : 300)
  const index = openSync(join(deployment.drive(1), 'metadata', 'data.mdb'), 'r+')
  const page = Buffer.alloc(4096)
  for (let at = 0; readSync(index, page, 0, page.length, at) > 0; at += 3 * page.length) {
    for (const offset of [10, 16, 40, 300, 2000, 4000]) page[offset] = (page[offset] ?? 0) ^ 0x15
    writeSync(index, page, 0, page.length, at)
  }
  closeSync(index)
  const noticed = saysSo(deployment, /is damaged|SIGBUS|SIGSEGV|SIGABRT|copies of the metadata change/)
  const wrong: string[] = []
  await until('it is noticed', async () => {
    for (const [key, expected] of deployment.stored) {
      const bytes = await deployment.get(key).catch(() => undefined)
      if (bytes !== undefined && digest(bytes) !== expected) wrong.push(key)
    }
    return noticed()
  })
  expect(wrong).toEqual([])
  await until('the server is whole again', async () => (await fetch(`${deployment.server.endpoint}/minio/health/ready`).then(({ status }) => status, () => 0)) === 200)
  await until('another copy is read', async () => (await deployment.put('after', 300).then(() => true, () => false)))
  await deployment.verify()
  await deployment.stop()
  await deployment.start()
  await deployment.verify()
}, 120_000)

test.skipIf(!mayMount)('a drive that is read-only is left out, also of the metadata, and taken back when it can be written', async () => {
  const deployment = deploy(4)
  for (const number of [1, 2, 3, 4]) {
    mkdirSync(deployment.drive(number))
    mount(['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs'], deployment.drive(number))
  }
  await deployment.startNew()
  await deployment.put('before', 300_000)
  execFileSync('mount', ['--bind', deployment.drive(2), deployment.drive(2)])
  mounts.unshift(deployment.drive(2))
  execFileSync('mount', ['-o', 'remount,ro,bind', deployment.drive(2)])
  const write = (round: string): Promise<unknown> => Promise.all([0, 1, 2].map(async writer => {
    for (let index = 0; index < 30; index++) await deployment.putPatiently(`${round}/${writer}/${index}`, index % 2 === 0 ? 60_000 : 100_000)
  }))
  await write('read-only')
  await deployment.verify()
  expect((await deployment.status()).drives.filter(({ state }) => state !== 'ok').map(({ state }) => state)).toEqual(['failing'])
  execFileSync('mount', ['-o', 'remount,rw,bind', deployment.drive(2)])
  await until('the drive is in use again', async () => (await deployment.status()).drives.every(({ state }) => state === 'ok'))
  await deployment.heal()
  // Unmounted, there is an empty directory, which nobody formats; one more is lost beside it.
  for (const number of [3, 4]) execFileSync('umount', ['-l', ...mounts.splice(mounts.indexOf(deployment.drive(number)), 1)])
  await deployment.verify()
  expect(readdirSync(deployment.drive(4))).toEqual([])
}, 120_000)

test.skipIf(!mayMount).each([1, 4])('%i full drives: 507 for what is new, reads and deletes go on, and what they free can be used', async count => {
  const deployment = deploy(count, { MORAINE_JOB_INTERVAL: '1s', MORAINE_GARBAGE_GRACE: '1s' })
  const sizeBytes = (count === 1 ? 120 : 90) << 20
  for (let number = 1; number <= count; number++) {
    mkdirSync(deployment.drive(number))
    mount(['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs'], deployment.drive(number))
  }
  await deployment.startNew()
  await deployment.put('small', 1000)
  const written: string[] = []
  let refusal = ''
  for (let index = 0; index < 100 && refusal === ''; index++) {
    refusal = await answerTo(() => deployment.put(`fill/${index}`, 4 << 20))
    if (refusal === '') written.push(`fill/${index}`)
  }
  expect(refusal).toBe('507 XMinioStorageFull')
  expect(written.length).toBeGreaterThan(5)
  await deployment.verify()
  // Small ones go into the metadata, which fill up later.
  const small = await refusalOf((async () => {
    for (let index = 0; index < 5000; index++) await deployment.s3.send(new PutObjectCommand({ Bucket: bucket, Key: `inline/${index}`, Body: Buffer.alloc(60_000) }))
  })())
  expect(small).toBe('507 XMinioStorageFull')
  await deployment.verify()
  // It is killed, and starts where not one block is free.
  await deployment.server.kill9()
  for (let number = 1; number <= count; number++) fillUp(deployment.drive(number))
  await deployment.start()
  await deployment.verify()
  for (const key of written) {
    await deployment.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    deployment.stored.delete(key)
  }
  await until('what was deleted has made room', async () => (await answerTo(() => deployment.put('again', 4 << 20))) === '')
  await deployment.verify()
}, 120_000)

function fillUp(folder: string): void {
  const file = openSync(join(folder, 'other'), 'w')
  try {
    for (let bytes = 1 << 20; bytes >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(bytes))
      } catch {
        bytes >>= 1
      }
    }
  } finally {
    closeSync(file)
  }
}

/** `''`: it was taken. A client that still sends its body when the refusal comes may meet a broken connection; as all SDKs, it tries again then. */
async function answerTo(put: () => Promise<void>): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const answer = await put().then(() => '', refusalOfError)
    if (answer !== 'undefined TimeoutError' || attempt === 3) return answer
  }
}

const refusalOfError = (error: unknown): Promise<string> => refusalOf(Promise.reject(error))

/** The row of a key's head, hidden in one drive's copy of the metadata as a damaged page hides it: nobody has deleted it. */
function hideHead(deployment: Deployment, number: number, key: string): void {
  const encoded = Buffer.from(key).map(byte => byte + 1)
  const path = join(deployment.drive(number), 'metadata')
  const index = openLmdb<Buffer, Buffer>({ path, noSubdir: false, keyEncoding: 'binary', encoding: 'binary', noSync: true, overlappingSync: false })
  const row = [...index.getKeys()].find(each => each[0] === 'o'.charCodeAt(0) && each.includes(encoded))
  if (row === undefined) throw new Error(`there is no ${key}`)
  index.removeSync(row)
  void index.close()
}

test('rows that damage hides in two of three copies, the one that is read and another, are found by the scrub of the metadata and are there again', async () => {
  const deployment = deploy(4, { MORAINE_SCRUB_INTERVAL: '2s' })
  await deployment.startNew()
  for (let index = 0; index < 20; index++) await deployment.put(`key-${index}`, 2000)
  await until('the copies were proven', async () => {
    const { metadata } = await deployment.status()
    return metadata?.state === 'done' && metadata.copy === 3 && metadata.damaged.length === 0
  })
  hideHead(deployment, 1, 'key-7')
  expect(await refusalOf(deployment.get('key-7'))).toBe('404 NoSuchKey')
  hideHead(deployment, 2, 'key-8')
  await until('the damaged copies are told of', saysSo(deployment, /a copy of the metadata is damaged: table o has \d+ rows that are not the \d+ that were put/))
  await until('the row is there again', async () => (await refusalOf(deployment.get('key-7')).catch(() => 'it is there')) === 'it is there')
  await deployment.putPatiently('after', 500)
  await until('all copies are whole', async () => {
    const { metadata } = await deployment.status()
    return metadata?.state === 'done' && metadata.copy === 3 && metadata.damaged.length === 0
  })
  await deployment.verify()
  await deployment.stop()
  const { code, out } = await deployment.command('fsck', deployment.words)
  expect(out).toContain('clean')
  expect(code).toBe(0)
}, 120_000)
