import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../../base/clock.ts'
import { systemClock } from '../../../base/system.ts'
import { openAuditFile } from './audit-file.ts'
import { auditRecord, type AuditedRequest } from './audit-record.ts'
import { openAuditWebhook } from './audit-webhook.ts'

let scratch: string

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'moraine-audit-'))
})

afterEach(() => rmSync(scratch, { recursive: true }))

/** Time that passes at once when somebody sleeps. */
function quickClock(): Clock {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (durationMs, signal) => {
      nowMs += durationMs
      await systemClock.sleep(1, signal)
    },
  }
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1)

describe('auditRecord', () => {
  const audited: AuditedRequest = {
    deploymentId: 'd1',
    requestId: '0123456789ABCDEF',
    method: 'GET',
    url: '/lake/a%20b?versionId=null&X-Amz-Signature=5ec8e7&x-amz-security-token=5ec8e7&prefix=p',
    requestHeaders: { host: 'localhost:9000', 'user-agent': 'aws-cli', authorization: 'AWS4-HMAC-SHA256 … 5ec8e7', cookie: '5ec8e7', 'x-amz-security-token': '5ec8e7', 'x-amz-server-side-encryption-customer-key': '5ec8e7' },
    responseHeaders: { 'x-amz-request-id': '0123456789ABCDEF', 'content-length': 12 },
    status: 200,
    bytesIn: 100,
    bytesOut: 200,
    startedAtMs: Date.UTC(2026, 10, 23, 12),
    durationMs: 1.5,
    remoteAddress: '127.0.0.1',
    notes: { operation: 'GetObject', bucket: 'lake', key: 'a b', accessKeyId: 'AKIA', decision: { effect: 'allow', because: 'the bucket is the caller’s' } },
  }

  it('has MinIO’s members', () => {
    expect(JSON.parse(auditRecord(audited))).toMatchObject({
      version: '1',
      deploymentid: 'd1',
      time: '2026-11-23T12:00:00.000Z',
      trigger: 'incoming',
      api: { name: 'GetObject', bucket: 'lake', object: 'a b', status: 'OK', statusCode: 200, rx: 100, tx: 200, timeToResponse: '1500000ns', timeToResponseInNS: '1500000' },
      remotehost: '127.0.0.1',
      requestID: '0123456789ABCDEF',
      userAgent: 'aws-cli',
      requestPath: '/lake/a%20b',
      requestHost: 'localhost:9000',
      requestQuery: { versionId: 'null', prefix: 'p' },
      responseHeader: { 'content-length': '12' },
      accessKey: 'AKIA',
      decision: { effect: 'allow' },
    })
  })

  it('has no secret, signature or token', () => {
    expect(auditRecord(audited)).not.toContain('5ec8e7')
  })

  it('says that an answer was cut off', () => {
    expect(JSON.parse(auditRecord({ ...audited, status: undefined }))).toMatchObject({ api: { status: 'Aborted' } })
  })
})

describe('the audit file', () => {
  it('gets every record, in order, and is begun anew when it was moved away', async () => {
    const path = join(scratch, 'audit.log')
    const clock = quickClock()
    const audit = openAuditFile({ file: path, clock, onFault: () => {} })
    const records = Array.from({ length: 5000 }, (_, index) => `{"n":${index}}`)
    for (const record of records) audit.write(record)
    await expect.poll(() => linesOf(path).length).toBe(records.length)
    renameSync(path, join(scratch, 'audit.log.1'))
    await clock.sleep(10_000)
    audit.write('{"n":"after"}')
    await audit.close()
    expect(linesOf(join(scratch, 'audit.log.1'))).toEqual(records)
    expect(linesOf(path)).toEqual(['{"n":"after"}'])
  })

  it('makes requests wait while it takes nothing, refuses them at last, and drops no record', async () => {
    const path = join(scratch, 'missing', 'audit.log')
    const faults: unknown[] = []
    const audit = openAuditFile({ file: path, clock: quickClock(), onFault: error => faults.push(error) })
    expect(audit.admit()).toBeUndefined()
    const record = 'x'.repeat(1024 * 1024)
    for (let index = 0; index < 5; index++) audit.write(record)
    expect(await audit.admit()).toBe(false)
    expect(faults).toHaveLength(1)
    mkdirSync(join(scratch, 'missing'))
    await expect.poll(() => audit.admit() ?? true).toBe(true)
    await audit.close()
    expect(linesOf(path)).toHaveLength(5)
  })
})

describe('the audit webhook', () => {
  let receiver: Server
  const received: { body: string; authorization: string | undefined }[] = []
  let failures = 0

  beforeEach(async () => {
    received.length = 0
    failures = 0
    receiver = createServer((request, response) => {
      let body = ''
      request.on('data', chunk => (body += String(chunk)))
      request.on('end', () => {
        response.statusCode = failures > 0 ? 500 : 200
        if (failures > 0) failures--
        else received.push({ body, authorization: request.headers.authorization })
        response.end()
      })
    })
    await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
  })

  afterEach(() => {
    receiver.closeAllConnections()
    receiver.close()
  })

  const url = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/audit`

  it('gets each record once, in order, through failures of the receiver', async () => {
    failures = 3
    const faults: number[] = []
    const audit = openAuditWebhook({ url: url(), token: 'secret', clock: quickClock(), onFault: (_error, dropped) => faults.push(dropped) })
    for (let index = 0; index < 20; index++) audit.write(`{"n":${index}}`)
    await expect.poll(() => received.length).toBe(20)
    await audit.close()
    expect(received.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, index) => `{"n":${index}}`))
    expect(received[0]?.authorization).toBe('Bearer secret')
    expect(faults).toEqual([0])
  })

  it('drops what does not fit while the receiver is away, says how much, and never makes a request wait', async () => {
    failures = 1
    const faults: number[] = []
    const audit = openAuditWebhook({ url: url(), token: undefined, clock: quickClock(), onFault: (_error, dropped) => faults.push(dropped) })
    for (let index = 0; index < 10_007; index++) audit.write('{}')
    expect(audit.admit()).toBeUndefined()
    await expect.poll(() => faults).toEqual([7, 7])
    await audit.close()
  })
})
