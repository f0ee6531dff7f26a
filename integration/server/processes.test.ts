/** Workers and the committer: replaced when they die, drained when the server stops, gone when their primary is. */
import { request } from 'node:http'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, it } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { childrenOf, committerOf, groupOf, workersOf } from '../server-processes.ts'
import { clientOf, until } from './client.ts'

const isReady = (server: StartedServer): Promise<boolean> => fetch(`${server.endpoint}/minio/health/ready`).then(({ status }) => status === 200, () => false)

/** A PUT whose body is sent in two halves, the second when `proceed` is called. */
function slowPut(url: string, first: Buffer, second: Buffer): { readonly status: Promise<number | undefined>; proceed(): void } {
  const outgoing = request(url, { method: 'PUT', headers: { 'content-length': first.length + second.length } })
  const status = new Promise<number | undefined>((resolve, reject) => {
    outgoing.once('error', reject)
    outgoing.once('response', response => {
      response.resume()
      resolve(response.statusCode)
    })
  })
  outgoing.write(first)
  return { status, proceed: () => outgoing.end(second) }
}

describe.skipIf(process.platform !== 'linux')('processes', () => {
  it('replaces a worker that dies, on the same port, while the others serve', async () => {
    const server = await startServer({ workers: 2 })
    try {
      const client = clientOf(server)
      await client.send(new PutObjectCommand({ Bucket: 'lake', Key: 'k', Body: 'v' }))
      const before = workersOf(server)
      expect(before).toHaveLength(2)
      for (const pid of before) {
        process.kill(pid, 'SIGKILL')
        await until('a new worker is there', () => !workersOf(server).includes(pid) && workersOf(server).length === 2)
        await until('it serves', () => isReady(server))
      }
      expect(workersOf(server).some(pid => before.includes(pid))).toBe(false)
      const read = await client.send(new GetObjectCommand({ Bucket: 'lake', Key: 'k' }))
      expect(await read.Body?.transformToString()).toBe('v')
      expect(server.logs().match(/a worker died and is replaced/g)).toHaveLength(2)
    } finally {
      expect(await server.stop()).toBe(0)
    }
  })

  it('replaces the only worker, on the same port', async () => {
    const server = await startServer({ workers: 1 })
    try {
      const [worker = 0] = workersOf(server)
      process.kill(worker, 'SIGKILL')
      await until('a new worker is there', () => !workersOf(server).includes(worker) && workersOf(server).length === 1)
      await until('it serves', () => isReady(server))
    } finally {
      expect(await server.stop()).toBe(0)
    }
  })

  it('replaces the committer: a write under way is made once, and later ones go on', async () => {
    const server = await startServer({ workers: 2 })
    try {
      const client = clientOf(server)
      for (let round = 0; round < 3; round++) {
        const committer = committerOf(server)
        if (committer === undefined) throw new Error('there is no committer')
        const puts = Array.from({ length: 20 }, (_, index) => client.send(new PutObjectCommand({ Bucket: 'lake', Key: `${round}/${index}`, Body: String(index) })))
        process.kill(committer, 'SIGKILL')
        await Promise.all(puts)
        await until('a new committer is there', () => ![committer, undefined].includes(committerOf(server)))
        const read = await client.send(new GetObjectCommand({ Bucket: 'lake', Key: `${round}/7` }))
        expect(await read.Body?.transformToString()).toBe('7')
      }
    } finally {
      expect(await server.stop()).toBe(0)
    }
  })

  it('leaves no client without an end: a connection on its way to a worker that dies is broken', async () => {
    const server = await startServer({ workers: 2 })
    try {
      let isKilling = true
      const connecting = Array.from({ length: 16 }, async () => {
        // A new connection each time, which is answered or broken, and never left alone.
        while (isKilling) await fetch(`${server.endpoint}/minio/health/live`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(20_000) }).catch((error: unknown) => {
          if (error instanceof Error && error.name === 'TimeoutError') throw error
        })
      })
      for (let round = 0; round < 4; round++) {
        await until('both workers are there', () => workersOf(server).length === 2)
        await until('the server answers', () => isReady(server))
        await new Promise(resolve => setTimeout(resolve, 300))
        const [first] = workersOf(server)
        if (first !== undefined) process.kill(first, 'SIGKILL')
      }
      isKilling = false
      await Promise.all(connecting)
    } finally {
      expect(await server.stop()).toBe(0)
    }
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s: requests under way finish, new ones are not taken, exit 0', async signal => {
    const server = await startServer({ workers: 2 })
    const url = await getSignedUrl(clientOf(server), new PutObjectCommand({ Bucket: 'lake', Key: 'slow' }), { expiresIn: 600 })
    const put = slowPut(url, Buffer.alloc(200_000, 1), Buffer.alloc(200_000, 2))
    await new Promise(resolve => setTimeout(resolve, 300))
    // A terminal sends its signal to every process of the group.
    if (signal === 'SIGINT') process.kill(-server.pid, signal)
    else process.kill(server.pid, signal)
    await until('nothing new is taken', async () => !(await isReady(server)))
    put.proceed()
    expect(await put.status).toBe(200)
    expect(await server.stop()).toBe(0)
    expect(childrenOf(server)).toEqual([])
  })

  it('cuts what outlasts the drain timeout, and exits 0', async () => {
    const server = await startServer({ workers: 1, env: { MORAINE_DRAIN_TIMEOUT: '500ms' } })
    const url = await getSignedUrl(clientOf(server), new PutObjectCommand({ Bucket: 'lake', Key: 'endless' }), { expiresIn: 600 })
    const put = slowPut(url, Buffer.alloc(100_000), Buffer.alloc(1))
    await new Promise(resolve => setTimeout(resolve, 200))
    const [status, code] = await Promise.allSettled([put.status, server.stop()])
    expect(status.status).toBe('rejected')
    expect(code).toEqual({ status: 'fulfilled', value: 0 })
  })

  it('leaves no worker behind when the primary is killed, and starts again on the same drive', async () => {
    const server = await startServer({ workers: 2 })
    await clientOf(server).send(new PutObjectCommand({ Bucket: 'lake', Key: 'k', Body: 'v' }))
    const before = childrenOf(server)
    expect(before).toHaveLength(3)
    process.kill(server.pid, 'SIGKILL')
    await until('workers and committer are gone', () => before.every(pid => groupOf(pid) !== server.pid))
    const next = await startServer({ drive: server.drive, workers: 2 })
    try {
      const read = await clientOf(next).send(new GetObjectCommand({ Bucket: 'lake', Key: 'k' }))
      expect(await read.Body?.transformToString()).toBe('v')
    } finally {
      expect(await next.stop()).toBe(0)
    }
  })
})
