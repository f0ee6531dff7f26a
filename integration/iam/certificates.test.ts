/** AssumeRoleWithCertificate over TLS with certificates of a private authority: whose count, for what, and how long. */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, spawnServer, startServer, type SpawnedServer } from '../start-server.ts'
import { allow, codeOf } from './connect.ts'
import { elementsOf, fieldsOf } from './sign-in.ts'

const run = promisify(execFile)
let scratch = ''
let server: SpawnedServer
let endpoint = ''
let authority = ''
const forClients = ['extendedKeyUsage=clientAuth']

/** A self-signed authority in files of that name. */
const newAuthority = (name: string): Promise<unknown> =>
  run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=authority', '-keyout', join(scratch, `${name}.key`), '-out', join(scratch, `${name}.crt`)])

interface Asked {
  readonly extensions?: readonly string[]
  readonly days?: number
  readonly by?: string
}

/** A certificate for `subject`, in files of that name. */
async function issue(name: string, subject: string, { extensions = forClients, days = 1, by = 'authority' }: Asked = {}): Promise<void> {
  const [key, asked, made] = [join(scratch, `${name}.key`), join(scratch, `${name}.csr`), join(scratch, `${name}.crt`)]
  const wanted = ['basicConstraints=critical,CA:FALSE', ...extensions].flatMap(text => ['-addext', text])
  await run('openssl', ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', subject, '-keyout', key, '-out', asked, ...wanted])
  await run('openssl', ['x509', '-req', '-in', asked, '-CA', join(scratch, `${by}.crt`), '-CAkey', join(scratch, `${by}.key`), '-CAcreateserial', '-days', String(days), '-copy_extensions', 'copyall', '-out', made])
}

async function agentOf(name?: string): Promise<Agent> {
  if (name === undefined) return new Agent({ ca: authority })
  const [cert, key] = await Promise.all([readFile(join(scratch, `${name}.crt`)), readFile(join(scratch, `${name}.key`))])
  return new Agent({ ca: authority, cert, key })
}

/** As MinIO's clients ask: all in the query, over a connection that shows the certificate of that name. */
async function signIn(name: string | undefined, fields: Readonly<Record<string, string>> = {}): Promise<Readonly<Record<string, string>>> {
  const agent = await agentOf(name)
  const query = new URLSearchParams({ Action: 'AssumeRoleWithCertificate', Version: '2011-06-15', ...fields })
  try {
    return await new Promise((resolve, reject) => {
      const sent = request(`${endpoint}/?${query.toString()}`, { agent, method: 'POST' }, response => {
        let body = ''
        response.on('data', chunk => (body += String(chunk)))
        response.on('end', () => resolve(elementsOf(body)))
      })
      sent.on('error', reject)
      sent.end()
    })
  } finally {
    agent.destroy()
  }
}

/** A client that shows no certificate: the session's keys are enough. */
async function s3Of({ AccessKeyId = '', SecretAccessKey = '', SessionToken }: Readonly<Record<string, string>>): Promise<S3Client> {
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }) }
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials, requestHandler: { httpsAgent: await agentOf() } })
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-mtls-'))
  await Promise.all([newAuthority('authority'), newAuthority('stranger')])
  authority = await readFile(join(scratch, 'authority.crt'), 'utf8')
  await issue('server', '/CN=moraine', { extensions: ['extendedKeyUsage=serverAuth', 'subjectAltName=IP:127.0.0.1'] })
  await mkdir(join(scratch, 'certs', 'CAs'), { recursive: true })
  await Promise.all([copyFile(join(scratch, 'server.crt'), join(scratch, 'certs', 'public.crt')), copyFile(join(scratch, 'server.key'), join(scratch, 'certs', 'private.key')), copyFile(join(scratch, 'authority.crt'), join(scratch, 'certs', 'CAs', 'authority.crt'))])
  await writeFile(join(scratch, 'providers.yaml'), 'certificate: {}\n')
  const port = await freePort()
  endpoint = `https://127.0.0.1:${port}`
  const env = { MORAINE_IDENTITY_PROVIDERS: join(scratch, 'providers.yaml'), MORAINE_CLIENT_CERTIFICATES: 'optional' }
  server = spawnServer(['server', '--address', `127.0.0.1:${port}`, '--workers', '2', '--certs-dir', join(scratch, 'certs'), join(scratch, 'drive')], env)
  const deadline = Date.now() + 60_000
  while ((await signIn(undefined).catch(() => undefined)) === undefined) {
    if (Date.now() > deadline) throw new Error(`the server did not become ready:\n${server.logs()}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  const root = await s3Of({ AccessKeyId: 'moraineadmin', SecretAccessKey: 'moraineadmin' })
  await root.send(new CreateBucketCommand({ Bucket: 'shared' }))
  await root.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: 'a' }))
}, 90_000)
afterAll(async () => {
  await server.stop()
  await rm(scratch, { recursive: true, force: true })
}, 60_000)

const read = async (fields: Readonly<Record<string, string>>) => codeOf((await s3Of(fields)).send(new GetObjectCommand({ Bucket: 'shared', Key: 'a' })))
const write = async (fields: Readonly<Record<string, string>>) => codeOf((await s3Of(fields)).send(new PutObjectCommand({ Bucket: 'shared', Key: 'b', Body: '' })))

test('a certificate gives a session of the policy that its common name names, less what the session policy leaves out', async () => {
  await issue('reader', '/O=example/CN=readonly')
  const session = await signIn('reader')
  expect([await read(session), await write(session)]).toEqual(['none', 'AccessDenied'])
  const narrowed = await signIn('reader', { Policy: allow('s3:PutObject') })
  expect([await read(narrowed), await write(narrowed)]).toEqual(['AccessDenied', 'AccessDenied'])
  expect(await signIn('reader', { Policy: '{' })).toMatchObject({ Code: 'MalformedPolicyDocument' })
  await issue('nobody', '/CN=no-such-policy')
  expect(await read(await signIn('nobody'))).toBe('AccessDenied')
})

test('the session ends with the certificate at the latest', async () => {
  const [hours, day] = [String(3600 * 12), String(3600 * 48)]
  expect(await signIn('reader', { DurationSeconds: day })).toMatchObject({ Code: 'ValidationError' })
  const { Expiration = '' } = await signIn('reader', { DurationSeconds: hours })
  expect(Math.abs(Date.parse(Expiration) - Date.now() - 12 * 3_600_000)).toBeLessThan(60_000)
})

test.each([
  ['none at all', undefined, '', {}],
  ['one of another authority with the same name', 'foreign', '/CN=consoleAdmin', { by: 'stranger' }],
  ['one for servers', 'for-servers', '/CN=consoleAdmin', { extensions: ['extendedKeyUsage=serverAuth'] }],
  ['one for nothing in particular', 'for-nothing', '/CN=consoleAdmin', { extensions: [] }],
  ['one that was signed by a client’s certificate', 'by-client', '/CN=consoleAdmin', { by: 'reader' }],
  ['one without a common name', 'no-name', '/O=consoleAdmin', {}],
  ['one with two', 'two-names', '/CN=readonly/CN=consoleAdmin', {}],
  ['one that is over', 'over', '/CN=consoleAdmin', { days: -1 }],
] as readonly [string, string | undefined, string, Asked][])('of certificates, %s gives nothing', async (_what, name, subject, asked) => {
  if (name !== undefined) await issue(name, subject, asked)
  expect(await signIn(name)).toMatchObject({ Code: 'InvalidClientCertificate' })
})

test('a common name is a policy’s name and nothing more', async () => {
  for (const [index, name] of ['arn:aws:iam::aws:policy\\/consoleAdmin', 'CONSOLEADMIN', 'consoleAdmin ', 'readonly,consoleAdmin', '*'].entries()) {
    await issue(`odd-${index}`, `/CN=${name}`)
    expect([name, await write(await signIn(`odd-${index}`))]).toEqual([name, 'AccessDenied'])
  }
})

test('without TLS nobody can show one', async () => {
  const plain = await startServer({ workers: 1, env: { MORAINE_IDENTITY_PROVIDERS: join(scratch, 'providers.yaml') } })
  try {
    const url = `${plain.endpoint}/?Action=AssumeRoleWithCertificate&Version=2011-06-15`
    expect(await fieldsOf(fetch(url, { method: 'POST' }))).toMatchObject({ Code: 'InvalidClientCertificate' })
  } finally {
    await plain.stop()
  }
})
