/** The whole server over TLS, as a client with a private authority sees it. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CompleteMultipartUploadCommand, CreateBucketCommand, CreateMultipartUploadCommand, GetObjectCommand, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, spawnServer, type SpawnedServer } from '../start-server.ts'
import { until } from './client.ts'

const run = promisify(execFile)
let scratch: string
let server: SpawnedServer
let endpoint: string
let agent: Agent

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-tls-'))
  const certificates = join(scratch, 'certs')
  await mkdir(certificates)
  const chain = join(certificates, 'public.crt')
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=moraine', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', join(certificates, 'private.key'), '-out', chain])
  agent = new Agent({ ca: await readFile(chain), keepAlive: true })
  const port = await freePort()
  endpoint = `https://127.0.0.1:${port}`
  server = spawnServer(['server', '--address', `127.0.0.1:${port}`, '--workers', '2', '--certs-dir', certificates, join(scratch, 'drive')])
  await until('the server is ready', () => get('/minio/health/ready').then(({ status }) => status === 200, () => false))
})

afterAll(async () => {
  agent.destroy()
  await server.stop()
  await rm(scratch, { recursive: true })
})

function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${endpoint}${path}`, { agent, headers }, response => {
      let body = ''
      response.on('data', chunk => (body += String(chunk)))
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('S3 works over TLS: objects, large bodies, and a Location that says https', async () => {
  const s3 = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'moraineadmin', secretAccessKey: 'moraineadmin' },
    requestHandler: { httpsAgent: agent },
  })
  await s3.send(new CreateBucketCommand({ Bucket: 'secure' }))
  const bytes = Buffer.alloc(7 * 1024 * 1024, 'moraine')
  await s3.send(new PutObjectCommand({ Bucket: 'secure', Key: 'large', Body: bytes }))
  const read = await s3.send(new GetObjectCommand({ Bucket: 'secure', Key: 'large' }))
  expect(Buffer.from((await read.Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true)
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'secure', Key: 'parts' }))
  const { ETag } = await s3.send(new UploadPartCommand({ Bucket: 'secure', Key: 'parts', UploadId, PartNumber: 1, Body: 'part' }))
  const completed = await s3.send(new CompleteMultipartUploadCommand({ Bucket: 'secure', Key: 'parts', UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }))
  expect(completed.Location).toBe(`${endpoint}/secure/parts`)
  s3.destroy()
})

test('the catalog tells engines an https endpoint', async () => {
  const { status, body } = await get('/iceberg/v1/config?warehouse=lake')
  expect(status).toBe(401)
  const token = await tokenOf()
  const config = await get('/iceberg/v1/config?warehouse=lake', { authorization: `Bearer ${token}` })
  expect(config.status, body).toBe(200)
  expect(config.body).toContain(`"s3.endpoint":"${endpoint}"`)
})

test('plain HTTP on the port is not answered', async () => {
  await expect(fetch(endpoint.replace('https', 'http'))).rejects.toThrow()
})

function tokenOf(): Promise<string> {
  return new Promise((resolve, reject) => {
    const form = 'grant_type=client_credentials&client_id=moraineadmin&client_secret=moraineadmin&scope=catalog'
    const sent = request(`${endpoint}/iceberg/v1/oauth/tokens`, { agent, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(form.length) } }, response => {
      let body = ''
      response.on('data', chunk => (body += String(chunk)))
      response.on('end', () => resolve((JSON.parse(body) as { access_token: string }).access_token))
    })
    sent.on('error', reject)
    sent.end(form)
  })
}
