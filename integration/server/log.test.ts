/** The log: one line for each request, and no secret in any of them. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startServer } from '../start-server.ts'
import { clientOf, refusalOf } from './client.ts'

const rootSecret = 'root-secret-8f2c'
const aliceSecret = 'alice-secret-77aa'

interface Line {
  readonly msg: string
  readonly requestId?: string
  readonly method?: string
  readonly path?: string
  readonly status?: number
  readonly bytesIn?: number
  readonly bytesOut?: number
  readonly durationMs?: number
  readonly operation?: string
  readonly accessKeyId?: string
  readonly errorCode?: string
}

it('has one line for each request and no secret, signature or token, and so has the audit file', async () => {
  const secrets: string[] = [rootSecret, aliceSecret]
  const scratch = await mkdtemp(join(tmpdir(), 'moraine-audit-'))
  const auditFile = join(scratch, 'audit.log')
  const server = await startServer({
    workers: 2,
    args: ['--json'],
    env: { MORAINE_ROOT_USER: 'rootuser', MORAINE_ROOT_PASSWORD: rootSecret, MORAINE_BUCKETS: 'logged', MORAINE_AUDIT_FILE: auditFile },
  })
  const target = { ...server, accessKeyId: 'rootuser', secretAccessKey: rootSecret }
  const client = clientOf(target)
  client.middlewareStack.add(
    next => args => {
      const { headers } = args.request as { headers: Record<string, string> }
      const signature = /Signature=([0-9a-f]+)/.exec(headers['authorization'] ?? '')?.[1]
      if (signature !== undefined) secrets.push(signature)
      return next(args)
    },
    { step: 'deserialize' },
  )
  const { $metadata } = await client.send(new PutObjectCommand({ Bucket: 'logged', Key: 'k', Body: Buffer.alloc(5000) }))
  await client.send(new GetObjectCommand({ Bucket: 'logged', Key: 'k' }))
  await client.send(new ListObjectsV2Command({ Bucket: 'logged', Prefix: 'a b' }))
  expect(await refusalOf(client.send(new GetObjectCommand({ Bucket: 'logged', Key: 'missing' })))).toBe('404 NoSuchKey')
  expect(await refusalOf(clientOf({ ...target, secretAccessKey: aliceSecret }).send(new GetObjectCommand({ Bucket: 'logged', Key: 'k' })))).toBe('403 SignatureDoesNotMatch')
  const presigned = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'logged', Key: 'k' }), { expiresIn: 60 })
  const signature = new URL(presigned).searchParams.get('X-Amz-Signature') ?? ''
  secrets.push(signature)
  expect((await fetch(presigned)).status).toBe(200)
  await fetch(presigned.replace('X-Amz-Signature', 'x-amz-%73ignature'))
  await fetch(`${presigned}&X-Amz-Security-Token=session-token-4411`)
  secrets.push('session-token-4411')
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'rootuser', client_secret: rootSecret, scope: 'catalog' })
  const granted = (await (await fetch(`${server.endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: form })).json()) as { access_token: string }
  secrets.push(granted.access_token)
  const config = await fetch(`${server.endpoint}/iceberg/v1/config?token=${granted.access_token}`, { headers: { authorization: `Bearer ${granted.access_token}` } })
  expect(config.status).toBeLessThan(500)
  await fetch(`${server.endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: new URLSearchParams({ ...Object.fromEntries(form), client_secret: 'guessed-secret-1' }) })
  secrets.push('guessed-secret-1')
  expect(await server.stop()).toBe(0)

  const logs = server.logs()
  expect(secrets.length).toBeGreaterThan(8)
  for (const secret of secrets) expect(logs).not.toContain(secret)
  const lines = logs.trim().split('\n').map(line => JSON.parse(line) as Line)
  const requests = lines.filter(({ msg }) => msg === 'request')
  const ids = requests.map(({ requestId }) => requestId)
  expect(new Set(ids).size).toBe(ids.length)
  const put = requests.filter(({ requestId }) => requestId === $metadata.requestId)
  expect(put).toEqual([
    expect.objectContaining({ method: 'PUT', path: expect.stringContaining('/logged/k') as string, status: 200, operation: 'PutObject', accessKeyId: 'rootuser' }),
  ])
  expect(put[0]?.bytesIn).toBeGreaterThan(5000)
  expect(put[0]?.bytesOut).toBeLessThan(1000)
  expect(put[0]?.durationMs).toBeGreaterThan(0)
  expect(requests.find(({ path }) => path?.startsWith('/logged/missing'))).toMatchObject({ status: 404, errorCode: 'NoSuchKey', operation: 'GetObject' })
  expect(requests.find(({ errorCode }) => errorCode === 'SignatureDoesNotMatch')).toMatchObject({ status: 403 })
  expect(requests.filter(({ path }) => path === '/iceberg/v1/oauth/tokens')).toHaveLength(2)

  const audit = await readFile(auditFile, 'utf8')
  for (const secret of secrets) expect(audit).not.toContain(secret)
  const records = audit.trim().split('\n').map(line => JSON.parse(line) as { requestID: string; api: { name: string; bucket?: string; object?: string; statusCode: number } })
  // The health checks of the start are there too, as they are in the log.
  expect(records.map(({ requestID }) => requestID).toSorted()).toEqual(ids.toSorted())
  expect(records.find(({ requestID }) => requestID === $metadata.requestId)).toMatchObject({
    api: { name: 'PutObject', bucket: 'logged', object: 'k', statusCode: 200 },
    decision: { effect: 'allow', because: 'the server’s root may do everything' },
  })
  await rm(scratch, { recursive: true })
})
