/**
 * The race probe: 64 writers at once on one key, round after round, over two workers. Exactly one wins each round, the key
 * holds the winner's bytes, and every loser is settled: it is told so by a definite answer, never by a conflict to repeat.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { connectClient, type Answer, type Client } from './client.ts'

const writers = 64
const rounds = 200

let server: StartedServer
let clients: Client[] = []

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  await untilAllWorkersServe()
  clients = Array.from({ length: writers }, () => connectClient(server))
  for (const bucket of ['race', 'versioned']) await ok({ method: 'PUT', path: `/${bucket}` })
  await ok({ method: 'PUT', path: '/versioned', query: 'versioning=', body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' })
})

afterAll(async () => {
  for (const client of clients) client.close()
  await server.stop()
})

const servingProcesses = (): number => new Set([...server.logs().matchAll(/"pid":(\d+),"requestId"/g)].map(([, pid]) => pid)).size

/** A server is ready when one worker is; kept connections opened before the other is there would all be the first one's. */
async function untilAllWorkersServe(): Promise<void> {
  for (const deadline = Date.now() + 60_000; servingProcesses() < 2;) {
    if (Date.now() > deadline) throw new Error('only one worker serves')
    await fetch(`${server.endpoint}/minio/health/live`, { headers: { connection: 'close' } })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** The answer to what must succeed, on any connection. */
async function ok(request: Parameters<Client['send']>[0], writer = 0): Promise<Answer> {
  const answer = await clientOf(writer).send(request)
  if (answer.status >= 300) throw new Error(`${request.method} ${request.path}: ${answer.status} ${answer.body}`)
  return answer
}

function clientOf(writer: number): Client {
  const client = clients[writer]
  if (client === undefined) throw new Error(`there is no writer ${writer}`)
  return client
}

const everyWriter = <T>(run: (writer: number) => Promise<T>): Promise<T[]> => Promise.all(clients.map((_, writer) => run(writer)))

interface Race {
  /** What all writers do at once. */
  readonly attempt: (writer: number) => Promise<Answer>
  /** The one answer that losers may get, `status code`. */
  readonly loser: string
}

/** One round: the number of the one winner and its answer. */
async function raceOnce({ attempt, loser }: Race): Promise<{ winner: number; answer: Answer }> {
  const answers = await everyWriter(attempt)
  const winners = answers.flatMap((answer, winner) => (answer.status < 300 ? [{ winner, answer }] : []))
  const losers = new Set(answers.filter(({ status }) => status >= 300).map(({ status, code }) => `${status} ${code}`))
  expect({ winners: winners.length, losers: [...losers] }).toEqual({ winners: 1, losers: [loser] })
  const [first] = winners
  if (first === undefined) throw new Error('nobody won')
  return first
}

/** The key holds these bytes, and shows the ETag that its winner was given. */
async function expectStored(path: string, { body, etag }: { body: string; etag: string | undefined }, round: number): Promise<void> {
  const stored = await ok({ method: 'GET', path }, round % writers)
  expect(stored.body).toBe(body)
  if (etag !== undefined) expect(stored.etag).toBe(etag)
}

const bytesOf = (round: number, writer: number) => `round ${round}, writer ${writer} ${'x'.repeat(writer)}`
const etagIn = (xml: string) => (/<ETag>([^<]*)<\/ETag>/.exec(xml)?.[1] ?? '').replaceAll('&quot;', '"')

async function everyRound(play: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await play(round)
}

test('PutObject with If-None-Match', () =>
  everyRound(async round => {
    const path = `/race/put-new-${round}`
    const { winner, answer } = await raceOnce({
      attempt: writer => clientOf(writer).send({ method: 'PUT', path, headers: { 'if-none-match': '*' }, body: bytesOf(round, writer) }),
      loser: '412 PreconditionFailed',
    })
    await expectStored(path, { body: bytesOf(round, winner), etag: answer.etag }, round)
  }))

test('PutObject with If-Match', async () => {
  const path = '/race/put-over'
  let { etag } = await ok({ method: 'PUT', path, body: 'first' })
  await everyRound(async round => {
    const seen = etag
    const { winner, answer } = await raceOnce({
      attempt: writer => clientOf(writer).send({ method: 'PUT', path, headers: { 'if-match': seen }, body: bytesOf(round, writer) }),
      loser: '412 PreconditionFailed',
    })
    ;({ etag } = answer)
    await expectStored(path, { body: bytesOf(round, winner), etag }, round)
  })
})

test('CompleteMultipartUpload with If-None-Match', () =>
  everyRound(async round => {
    const path = `/race/upload-${round}`
    const uploads = await everyWriter(async writer => {
      const begun = await ok({ method: 'POST', path, query: 'uploads=' }, writer)
      const uploadId = /<UploadId>([^<]*)</.exec(begun.body)?.[1] ?? ''
      const { etag } = await ok({ method: 'PUT', path, query: `partNumber=1&uploadId=${uploadId}`, body: bytesOf(round, writer) }, writer)
      return { uploadId, etag }
    })
    const { winner, answer } = await raceOnce({
      attempt: writer => clientOf(writer).send({
        method: 'POST', path, query: `uploadId=${uploads[writer]?.uploadId}`, headers: { 'if-none-match': '*' },
        body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${uploads[writer]?.etag}</ETag></Part></CompleteMultipartUpload>`,
      }),
      loser: '412 PreconditionFailed',
    })
    await expectStored(path, { body: bytesOf(round, winner), etag: etagIn(answer.body) }, round)
  }))

test('CopyObject with If-None-Match', async () => {
  await everyWriter(writer => ok({ method: 'PUT', path: `/race/source-${writer}`, body: bytesOf(0, writer) }, writer))
  await everyRound(async round => {
    const path = `/race/copy-${round}`
    const { winner, answer } = await raceOnce({
      attempt: writer => clientOf(writer).send({ method: 'PUT', path, headers: { 'if-none-match': '*', 'x-amz-copy-source': `/race/source-${writer}` } }),
      loser: '412 PreconditionFailed',
    })
    await expectStored(path, { body: bytesOf(0, winner), etag: etagIn(answer.body) }, round)
  })
})

test('CopyObject with If-Match', async () => {
  await everyWriter(writer => ok({ method: 'PUT', path: `/race/from-${writer}`, body: bytesOf(1, writer) }, writer))
  await everyRound(async round => {
    const path = `/race/copy-over-${round}`
    const { etag } = await ok({ method: 'PUT', path, body: 'first' })
    const { winner } = await raceOnce({
      attempt: writer => clientOf(writer).send({ method: 'PUT', path, headers: { 'if-match': etag, 'x-amz-copy-source': `/race/from-${writer}` } }),
      loser: '412 PreconditionFailed',
    })
    await expectStored(path, { body: bytesOf(1, winner), etag: undefined }, round)
  })
})

test.each([['race', '404 NoSuchKey'], ['versioned', '412 PreconditionFailed']])('DeleteObject with If-Match, bucket %s', (bucket, loser) =>
  everyRound(async round => {
    const path = `/${bucket}/delete-${round % 10}`
    const { etag } = await ok({ method: 'PUT', path, body: bytesOf(round, 0) })
    await raceOnce({ attempt: writer => clientOf(writer).send({ method: 'DELETE', path, headers: { 'if-match': etag } }), loser })
    expect(await clientOf(round % writers).send({ method: 'GET', path })).toMatchObject({ status: 404, code: 'NoSuchKey' })
  }))

test('appends', async () => {
  let body = ''
  await everyRound(async round => {
    // Objects of a few KiB, and now and then a new one.
    if (round % 20 === 0) body = ''
    const path = `/race/log-${Math.floor(round / 20)}`
    const { winner, answer } = await raceOnce({
      attempt: writer => clientOf(writer).send({ method: 'PUT', path, headers: { 'x-amz-write-offset-bytes': String(body.length) }, body: bytesOf(round, writer) }),
      loser: '400 InvalidWriteOffset',
    })
    body += bytesOf(round, winner)
    await expectStored(path, { body, etag: answer.etag }, round)
  })
})

test('both workers took part', () => {
  const writes = [...server.logs().matchAll(/"pid":(\d+),"requestId".*"operation":"PutObject"/g)].map(([, pid]) => pid)
  for (const pid of new Set(writes)) expect(writes.filter(each => each === pid).length).toBeGreaterThan(writes.length / 5)
  expect(new Set(writes).size).toBe(2)
})
