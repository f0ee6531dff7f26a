/** Secrets at rest: by keys from the environment and from files, through a change of the master key, and in nothing that is printed. */
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { catalogOf } from './catalog.ts'
import { allow, clientsOf, codeOf, credentialsOf, type Credentials } from './connect.ts'

let scratch: string
let drive: string
const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
const rootSecret = `root-${randomBytes(9).toString('hex')}`

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-keys-'))
  drive = join(scratch, 'data')
})
afterAll(() => rm(scratch, { recursive: true }))

async function during<T>(env: Readonly<Record<string, string>>, act: (server: StartedServer) => Promise<T>): Promise<T> {
  const server = await startServer({ workers: 2, drive, args: ['--json'], env: { MORAINE_ROOT_USER: 'rootuser', MORAINE_ROOT_PASSWORD: rootSecret, ...env } })
  try {
    return await act(server)
  } finally {
    await server.stop()
  }
}

const works = (server: StartedServer, key: Credentials): Promise<string> => codeOf(clientsOf(server.endpoint, key).s3.send(new ListBucketsCommand({})))

const bytesBelow = (folder: string): Buffer =>
  Buffer.concat(readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => readFileSync(join(entry.parentPath, entry.name))))

test('a new master key takes over at a start, after which the old one is needed no more; nothing secret is kept or printed', async () => {
  const audit = join(scratch, 'audit.log')
  const secrets = [one, two, rootSecret]
  const printed: string[] = []
  const first = { MORAINE_KMS_SECRET_KEY: `one:${one}`, MORAINE_AUDIT_FILE: audit, MORAINE_LOG_LEVEL: 'debug' }
  const userKey = await during(first, async server => {
    const root = clientsOf(server.endpoint, { accessKeyId: 'rootuser', secretAccessKey: rootSecret })
    await root.iam.send(new CreateUserCommand({ UserName: 'ann' }))
    await root.iam.send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'all', PolicyDocument: allow('*') }))
    const key = credentialsOf((await root.iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))).AccessKey)
    const session = credentialsOf((await clientsOf(server.endpoint, key).sts.send(new GetSessionTokenCommand({}))).Credentials)
    await clientsOf(server.endpoint, session).s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'k', Body: Buffer.from('x') }))
    expect(await codeOf(clientsOf(server.endpoint, { ...key, secretAccessKey: 'not-the-secret' }).s3.send(new ListBucketsCommand({})))).toBe('SignatureDoesNotMatch')
    const catalog = await catalogOf(server, key)
    await catalog('POST', 'namespaces', { namespace: ['sales'] })
    const made = await catalog('POST', 'namespaces/sales/tables', { name: 't', schema: { type: 'struct', fields: [] } }, { 'x-iceberg-access-delegation': 'vended-credentials' })
    const vended = made.body['storage-credentials']?.[0]?.config ?? {}
    secrets.push(key.secretAccessKey, session.secretAccessKey, session.sessionToken ?? '', vended['s3.secret-access-key'] ?? '', vended['s3.session-token'] ?? '')
    const commandLines = readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(pid => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2] === String(server.pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : []
      } catch {
        return []
      }
    })
    expect(commandLines.length).toBeGreaterThan(2)
    printed.push(server.logs(), ...commandLines)
    return key
  })
  await during({ MORAINE_KMS_SECRET_KEY: `two:${two},one:${one}` }, async server => expect(await works(server, userKey)).toBe('none'))
  await during({ MORAINE_KMS_SECRET_KEY: `two:${two}` }, async server => expect(await works(server, userKey)).toBe('none'))
  const refused: unknown = await during({ MORAINE_KMS_SECRET_KEY: `one:${one}` }, () => Promise.resolve(undefined)).catch((error: unknown) => error)
  expect(String(refused)).toMatch(/master key/i)
  printed.push(String(refused))
  const kept = Buffer.concat([bytesBelow(drive), readFileSync(audit), Buffer.from(printed.join('\n'))])
  expect(kept.includes(userKey.accessKeyId)).toBe(true)
  for (const [index, secret] of secrets.entries()) {
    expect(secret.length).toBeGreaterThan(8)
    expect([index, kept.includes(secret)]).toEqual([index, false])
  }
}, 120_000)

test('keys come from a file as well: of keys, and a keyring elsewhere than on the drives', async () => {
  const file = join(scratch, 'keys')
  await writeFile(file, `three:${one},two:${two}\n`)
  const ofFile = { MORAINE_KMS_SECRET_KEY_FILE: file }
  await during(ofFile, async server => expect(await works(server, { accessKeyId: 'rootuser', secretAccessKey: rootSecret })).toBe('none'))
  drive = join(scratch, 'other')
  const keyring = join(scratch, 'keyring.json')
  const userKey = await during({ MORAINE_KEYRING: keyring }, async server => {
    const { iam } = clientsOf(server.endpoint, { accessKeyId: 'rootuser', secretAccessKey: rootSecret })
    await iam.send(new CreateUserCommand({ UserName: 'bob' }))
    await iam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'all', PolicyDocument: allow('*') }))
    return credentialsOf((await iam.send(new CreateAccessKeyCommand({ UserName: 'bob' }))).AccessKey)
  })
  expect(readdirSync(drive)).not.toContain('keyring.json')
  await during({ MORAINE_KEYRING: keyring }, async server => expect(await works(server, userKey)).toBe('none'))
  const refused: unknown = await during({ MORAINE_KEYRING: join(scratch, 'lost.json') }, () => Promise.resolve(undefined)).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Error)
}, 120_000)
