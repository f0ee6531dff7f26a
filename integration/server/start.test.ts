/** How the server starts, and what stops it from starting. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, spawnServer, startServer } from '../start-server.ts'
import { clientOf, refusalOf, until } from './client.ts'

let scratch = ''

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-start-'))
})

afterAll(() => rm(scratch, { recursive: true, force: true }))

/** What a start that must fail says. */
async function refusedStart(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const server = spawnServer(['server', ...words], env)
  const code = await server.ended
  expect(code, server.logs()).toBe(1)
  expect(server.logs()).not.toContain('    at ')
  return server.logs()
}

describe('what starts', () => {
  it('takes a stock MinIO compose service', async () => {
    const port = await freePort()
    const environment = { MINIO_ROOT_USER: 'minioadmin', MINIO_ROOT_PASSWORD: 'minio-secret', MINIO_BROWSER: 'on', MINIO_PROMETHEUS_AUTH_TYPE: 'public' }
    // The address is the one thing that is not stock: another server may have port 9000 here.
    const server = spawnServer(['server', join(scratch, 'minio'), '--console-address', ':9001'], { ...environment, MINIO_ADDRESS: `:${port}` })
    const endpoint = `http://127.0.0.1:${port}`
    try {
      await until('it is ready', () => fetch(`${endpoint}/minio/health/live`).then(({ status }) => status === 200, () => false))
      for (const path of ['live', 'ready', 'cluster', 'cluster/read']) expect((await fetch(`${endpoint}/minio/health/${path}`)).status).toBe(200)
      const client = clientOf({ endpoint, accessKeyId: 'minioadmin', secretAccessKey: 'minio-secret' })
      await client.send(new CreateBucketCommand({ Bucket: 'mybucket' }))
      expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toContain('mybucket')
      expect(server.logs()).toContain('warning: MINIO_BROWSER means nothing to Moraine and is ignored')
      expect(server.logs()).not.toContain('minio-secret')
    } finally {
      expect(await server.stop()).toBe(0)
    }
  })

  it('keeps what it stored over restarts', async () => {
    const drive = join(scratch, 'kept')
    const first = await startServer({ drive })
    const client = clientOf(first)
    await client.send(new PutObjectCommand({ Bucket: 'lake', Key: 'small', Body: 'kept' }))
    await client.send(new PutObjectCommand({ Bucket: 'lake', Key: 'large', Body: Buffer.alloc(300_000, 7) }))
    expect(await first.stop()).toBe(0)
    const second = await startServer({ drive, workers: 1 })
    try {
      const small = await clientOf(second).send(new GetObjectCommand({ Bucket: 'lake', Key: 'small' }))
      expect(await small.Body?.transformToString()).toBe('kept')
      const large = await clientOf(second).send(new GetObjectCommand({ Bucket: 'lake', Key: 'large' }))
      expect(Buffer.from((await large.Body?.transformToByteArray()) ?? []).equals(Buffer.alloc(300_000, 7))).toBe(true)
    } finally {
      await second.stop()
    }
    const check = spawnServer(['fsck', drive])
    expect(await check.ended).toBe(0)
    expect(check.logs()).toContain('clean')
  })

  it('serves on an IPv6 address, whose host a signature covers with its brackets', async () => {
    const port = await freePort()
    const endpoint = `http://[::1]:${port}`
    const server = spawnServer(['server', '--address', `[::1]:${port}`, join(scratch, 'ipv6')])
    try {
      await until('it is ready', () => fetch(`${endpoint}/minio/health/live`).then(({ status }) => status === 200, () => false))
      const client = clientOf({ endpoint, accessKeyId: 'moraineadmin', secretAccessKey: 'moraineadmin' })
      await client.send(new CreateBucketCommand({ Bucket: 'six' }))
      await client.send(new PutObjectCommand({ Bucket: 'six', Key: 'a b', Body: 'over IPv6' }))
      expect(await (await client.send(new GetObjectCommand({ Bucket: 'six', Key: 'a b' }))).Body?.transformToString()).toBe('over IPv6')
      expect(await refusalOf(clientOf({ endpoint, accessKeyId: 'moraineadmin', secretAccessKey: 'wrong-secret' }).send(new ListBucketsCommand({})))).toBe('403 SignatureDoesNotMatch')
    } finally {
      expect(await server.stop()).toBe(0)
    }
  })

  it('makes what a bootstrap document declares, each time the same', async () => {
    const file = join(scratch, 'bootstrap.yaml')
    await writeFile(file, `
accounts:
  - name: alice
    displayName: Alice
    email: alice@example.org
    accessKeys: [{accessKeyId: AKALICE, secretAccessKey: alice-secret}]
  - name: bob
    displayName: Bob
    email: bob@example.org
    accessKeys: [{accessKeyId: AKBOB, secretAccessKey: bobs-secret}]
buckets:
  - {name: photos, account: alice, versioning: Enabled}
warehouses:
  - {name: sales, bucket: sales-files, account: alice}
`)
    const drive = join(scratch, 'bootstrapped')
    let owner: string | undefined
    for (const round of [1, 2]) {
      const server = await startServer({ drive, workers: 1, args: ['--bootstrap', file], env: { MORAINE_BUCKETS: 'more-one,more-two' } })
      try {
        const alice = clientOf({ ...server, accessKeyId: 'AKALICE', secretAccessKey: 'alice-secret' })
        const bob = clientOf({ ...server, accessKeyId: 'AKBOB', secretAccessKey: 'bobs-secret' })
        const put = await alice.send(new PutObjectCommand({ Bucket: 'photos', Key: 'k', Body: `round ${round}` }))
        expect(put.VersionId).toBeDefined()
        expect(await refusalOf(bob.send(new PutObjectCommand({ Bucket: 'photos', Key: 'k', Body: 'x' })))).toBe('403 AccessDenied')
        expect(await refusalOf(clientOf({ ...server, accessKeyId: 'AKALICE', secretAccessKey: 'wrong-secret' }).send(new ListBucketsCommand({})))).toBe('403 SignatureDoesNotMatch')
        const { Owner } = await alice.send(new ListBucketsCommand({}))
        expect(Owner?.ID).toMatch(/^[0-9a-f]{64}$/)
        owner ??= Owner?.ID
        expect(Owner?.ID).toBe(owner)
        const all = await clientOf(server).send(new ListBucketsCommand({}))
        expect(all.Buckets?.map(({ Name }) => Name)).toEqual(['more-one', 'more-two', 'photos', 'sales-files'])
      } finally {
        await server.stop()
      }
    }
  })

  it('prints its version and its options', async () => {
    const version = spawnServer(['version'])
    expect(await version.ended).toBe(0)
    expect(version.logs()).toMatch(/^moraine \d+\.\d+\.\d+\n$/)
    const help = spawnServer(['--help'])
    expect(await help.ended).toBe(0)
    for (const word of ['moraine server', 'moraine fsck', '--address HOST:PORT', '--workers N']) expect(help.logs()).toContain(word)
    const unknown = spawnServer(['serve'])
    expect(await unknown.ended).toBe(1)
    expect(unknown.logs()).toContain('there is no command "serve"')
  })

  it('prints ready-to-paste settings, unless it is told not to', async () => {
    const loud = await startServer({ workers: 1 })
    await loud.stop()
    for (const word of ['Spark', 'Trino', 'DuckDB', 'PyIceberg', `${loud.endpoint}/iceberg`]) expect(loud.logs()).toContain(word)
    const quiet = await startServer({ workers: 1, args: ['--quiet'] })
    await quiet.stop()
    expect(quiet.logs()).not.toContain('Spark')
    const lines = quiet.logs().trim().split('\n')
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow()
  })
})

describe('what does not start', () => {
  it('a second server on the same drive', async () => {
    const first = await startServer({ workers: 1 })
    try {
      expect(await refusedStart(['--address', '127.0.0.1:0', first.drive])).toContain('another server uses this drive')
      const check = spawnServer(['fsck', first.drive])
      expect(await check.ended).toBe(1)
      expect(check.logs()).toContain('another server uses this drive')
      expect((await fetch(`${first.endpoint}/minio/health/ready`)).status).toBe(200)
    } finally {
      expect(await first.stop()).toBe(0)
    }
  })

  it('a directory that holds something else, which is left untouched', async () => {
    const directory = join(scratch, 'foreign')
    await mkdir(directory)
    await writeFile(join(directory, 'thesis.tex'), 'years of work')
    expect(await refusedStart(['--address', '127.0.0.1:0', directory])).toContain('holds "thesis.tex"')
    expect(await readdir(directory)).toEqual(['thesis.tex'])
  })

  it('a file in the place of a drive', async () => {
    const file = join(scratch, 'a-file')
    await writeFile(file, '')
    expect(await refusedStart(['--address', '127.0.0.1:0', file])).toContain('a-file')
  })

  it('a port that is taken', async () => {
    const first = await startServer({ workers: 1 })
    try {
      const said = await refusedStart(['--address', `127.0.0.1:${first.port}`, '--workers', '2', join(scratch, 'other')])
      expect(said).toContain(`127.0.0.1:${first.port}`)
      expect(said).toContain('in use')
    } finally {
      await first.stop()
    }
  })

  it('every interface without credentials', async () => {
    expect(await refusedStart(['--address', ':0', join(scratch, 'open')])).toMatch(/set MORAINE_ROOT_USER and MORAINE_ROOT_PASSWORD/)
  })

  it('an unknown setting, a certificate that cannot be used, and clients’ certificates without TLS', async () => {
    expect(await refusedStart([join(scratch, 'x')], { MORAINE_BUCKTES: 'a' })).toContain('MORAINE_BUCKTES is not a setting')
    expect(await refusedStart([join(scratch, 'x')], { MORAINE_CLIENT_CERTIFICATES: 'maybe' })).toContain('MORAINE_CLIENT_CERTIFICATES')
    expect(await refusedStart(['--certs-dir', scratch, join(scratch, 'x')], { MORAINE_CLIENT_CERTIFICATES: 'required' })).toContain('clients can show certificates over TLS only')
    await writeFile(join(scratch, 'public.crt'), '')
    await writeFile(join(scratch, 'private.key'), '')
    expect(await refusedStart(['--certs-dir', scratch, join(scratch, 'x')])).toContain(`${join(scratch, 'public.crt')} cannot be used`)
  })

  it('a bootstrap document with a mistake, named by its place', async () => {
    const file = join(scratch, 'bad.json')
    await writeFile(file, '{"accounts":[{"name":"alice","displayName":"A","email":"a@b.c","accessKeys":[{"accessKeyId":"AKALICE","secretAccessKey":"short"}]}]}')
    const said = await refusedStart(['--address', '127.0.0.1:0', '--bootstrap', file, join(scratch, 'x')])
    expect(said).toContain(`${file}: /accounts/0/accessKeys/0/secretAccessKey: expected 8 to 256 characters`)
    expect(await refusedStart(['--address', '127.0.0.1:0', '--bootstrap', join(scratch, 'missing.json'), join(scratch, 'x')])).toContain('missing.json')
  })
})
