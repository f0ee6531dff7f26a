/** AssumeRoleWithCustomToken, over a real identity service: what it answers, and all the ways in which it may fail. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, startServer, type StartedServer } from '../start-server.ts'
import { allow, clientsOf, codeOf } from './connect.ts'
import { fieldsOf, sessionOf } from './sign-in.ts'

let server: StartedServer
let service: Server
let scratch = ''
let asked: { readonly method: string | undefined; readonly token: string | null; readonly authorization: string | undefined }[] = []
const RoleArn = 'arn:minio:iam:::role/external'

/** What the identity service does with each token. */
const answers: Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>> = {
  ada: response => response.end(JSON.stringify({ user: 'ada', maxValiditySeconds: 3600, claims: { team: 'a' } })),
  eve: response => response.writeHead(403).end(JSON.stringify({ reason: 'secret-reason' })),
  'broken': response => response.writeHead(500).end('{"user":"ada","maxValiditySeconds":3600}'),
  'elsewhere': response => response.writeHead(302, { location: '/?token=ada' }).end(),
  'no-json': response => response.end('user=ada'),
  'no-user': response => response.end('{"maxValiditySeconds":3600}'),
  'no-end': response => response.end('{"user":"ada"}'),
  'too-short': response => response.end('{"user":"ada","maxValiditySeconds":60}'),
  'too-long': response => response.end(JSON.stringify({ user: 'ada', maxValiditySeconds: 3600, claims: { text: 'x'.repeat(1_000_000) } })),
  'cut': (response, request) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"user":')
    setTimeout(() => request.socket.destroy(), 50)
  },
}

const signIn = (fields: Readonly<Record<string, string>>) => fieldsOf(fetch(server.endpoint, { method: 'POST', body: new URLSearchParams({ Action: 'AssumeRoleWithCustomToken', Version: '2011-06-15', RoleArn, ...fields }) }))

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moraine-custom-token-'))
  const port = await freePort()
  service = createServer((request, response) => {
    const token = new URL(request.url ?? '/', 'http://localhost').searchParams.get('token')
    asked.push({ method: request.method, token, authorization: request.headers.authorization })
    const answer = answers[token ?? '']
    if (answer === undefined) response.writeHead(403).end('{}')
    else answer(response, request)
  })
  await new Promise<void>(resolve => service.listen(port, '127.0.0.1', resolve))
  const document = join(scratch, 'providers.yaml')
  await writeFile(document, JSON.stringify({ customToken: { url: `http://127.0.0.1:${port}/`, authorization: 'Bearer of-the-server', roleId: 'external', rolePolicies: ['readonly'] } }))
  server = await startServer({ workers: 2, env: { MORAINE_IDENTITY_PROVIDERS: document } })
  const { s3 } = clientsOf(server.endpoint, server)
  await s3.send(new CreateBucketCommand({ Bucket: 'shared' }))
  await s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'a', Body: 'a' }))
}, 90_000)
afterAll(async () => {
  await server.stop()
  await new Promise(resolve => service.close(resolve))
  await rm(scratch, { recursive: true, force: true })
}, 60_000)

test('a token that the service vouches for gives a session of its policies, no longer than it says', async () => {
  asked = []
  const ada = sessionOf(server.endpoint, await signIn({ Token: 'ada' }))
  expect(asked).toEqual([{ method: 'POST', token: 'ada', authorization: 'Bearer of-the-server' }])
  expect(await codeOf(ada.s3.send(new GetObjectCommand({ Bucket: 'shared', Key: 'a' })))).toBe('none')
  expect(await codeOf(ada.s3.send(new PutObjectCommand({ Bucket: 'shared', Key: 'b', Body: '' })))).toBe('AccessDenied')
  expect((await ada.sts.send(new GetCallerIdentityCommand({}))).Arn).toContain(':federated-user/')
  expect(await signIn({ Token: 'ada', DurationSeconds: '7200' })).toMatchObject({ Code: 'ValidationError' })
  const nothing = sessionOf(server.endpoint, await signIn({ Token: 'ada', Policy: allow('s3:PutObject') }))
  expect(await codeOf(nothing.s3.send(new GetObjectCommand({ Bucket: 'shared', Key: 'a' })))).toBe('AccessDenied')
})

test('MinIO’s clients put it all into the query', async () => {
  const url = `${server.endpoint}/?${new URLSearchParams({ Action: 'AssumeRoleWithCustomToken', Version: '2011-06-15', Token: 'ada', RoleArn }).toString()}`
  expect((await fieldsOf(fetch(url, { method: 'POST' })))['AccessKeyId']).toMatch(/^ASIA/)
})

test('a token that it refuses, and every answer that is none, gives nothing', async () => {
  expect(await signIn({ Token: 'eve' })).toMatchObject({ Code: 'AccessDenied' })
  expect(Object.values(await signIn({ Token: 'eve' })).join()).not.toContain('secret-reason')
  expect(await signIn({ Token: 'unknown' })).toMatchObject({ Code: 'AccessDenied' })
  for (const Token of Object.keys(answers).filter(name => !['ada', 'eve'].includes(name))) expect([Token, (await signIn({ Token }))['Code']]).toEqual([Token, 'IDPCommunicationError'])
})

test('nobody is asked where the request cannot be meant for the service', async () => {
  asked = []
  expect(await signIn({ Token: '' })).toMatchObject({ Code: 'MissingParameter' })
  for (const role of ['arn:minio:iam:::role/other', 'arn:minio:iam:::role/EXTERNAL', 'arn:minio:iam:::role/external/', 'arn:aws:iam::123456789012:role/external', '']) {
    expect([role, (await signIn({ Token: 'ada', RoleArn: role }))['Code']]).toEqual([role, 'InvalidParameterValue'])
  }
  expect(asked).toEqual([])
})

test('a service that is away gives nothing, and its address and the token stand nowhere', async () => {
  service.closeAllConnections()
  await new Promise(resolve => service.close(resolve))
  expect(await signIn({ Token: 'ada-secret-token' })).toMatchObject({ Code: 'IDPCommunicationError' })
  expect(server.logs()).not.toContain('ada-secret-token')
})
