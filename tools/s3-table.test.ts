import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operationNamed } from '../src/s3/operations.ts'
import { openScratchServer, type ScratchRequest, type ScratchServer } from '../src/s3/scratch-server.ts'
import { s3Operations, type S3Operation } from '../src/wire/s3-operations.ts'
import type { Member } from '../src/wire/shape.ts'
import { membersOf, page, planned, refusedInside, renewed } from './s3-table.ts'

describe('docs/s3.md', () => {
  it('is current (node tools/s3-table.ts --write)', () => {
    const text = readFileSync(page, 'utf8')
    expect(text).toBe(renewed(text))
  })

  it('calls planned only what the model has and what is not done', () => {
    for (const name of planned.operations) expect([s3Operations.has(name), operationNamed(name)]).toEqual([true, undefined])
    const unhonoured = new Set([...s3Operations.values()].flatMap(membersOf).flatMap(({ member, treatment }) => (treatment.kind === 'planned' ? [member] : [])))
    for (const member of planned.members) expect(unhonoured).toContain(member)
    const paths = [...s3Operations.values()].flatMap(membersOf).map(({ member }) => member)
    for (const path of Object.keys(refusedInside)) expect(paths).toContain(path)
  })
})

/** Bodies of operations that look at theirs before they look at their members. */
const documents: Readonly<Record<string, string>> = { DeleteObjects: '<Delete><Object><Key>none</Key></Object></Delete>', PutBucketVersioning: '<VersioningConfiguration/>' }

/** A request of an operation, with the members it requires and one more. */
function requestWith(operation: S3Operation, extra: Member | undefined): { path: string; options: ScratchRequest } {
  const query: Record<string, string> = {}
  const headers: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(operation.uri.split('?')[1] ?? '')) query[name] = value
  const required = operation.input.members.filter(({ required: isRequired }) => isRequired)
  for (const member of extra === undefined ? required : [...required, extra]) {
    const { binding } = member
    if (binding.to === 'query') query[binding.name] = valueOf(member)
    if (binding.to === 'header') headers[binding.name.toLowerCase()] = valueOf(member)
    if (binding.to === 'prefixHeaders') headers[`${binding.name}name`] = 'value'
  }
  const path = (operation.uri.split('?')[0] ?? '/').replace('{Key+}', 'bucket/key')
  const hasBucket = operation.input.members.some(({ binding, name }) => binding.to === 'label' && name === 'Bucket')
  return { path: path === '/' && hasBucket ? '/bucket' : path, options: { query, headers } }
}

function valueOf({ name, shape }: Member): string {
  if (name === 'CopySource') return '/bucket/key'
  if (shape.kind === 'timestamp') return shape.format === 'date-time' ? '2026-01-01T00:00:00Z' : 'Thu, 01 Jan 2026 00:00:00 GMT'
  return shape.kind === 'number' ? '1' : shape.kind === 'boolean' ? 'true' : 'x'
}

describe('the members of every operation, sent over HTTP', () => {
  let server: ScratchServer
  beforeAll(async () => {
    server = await openScratchServer()
    await server.send('PUT', '/bucket')
    await server.send('PUT', '/bucket/key', { body: 'value' })
  })
  afterAll(() => server.close())

  it('has operations to walk', () => expect(s3Operations.size).toBeGreaterThan(100))

  it.each([...s3Operations.values()].map(operation => [operation.name, operation] as const))('%s', async (_, operation) => {
    const done = operationNamed(operation.name)
    const treatments = new Map(membersOf(operation).map(({ member, treatment }) => [member, treatment]))
    if (done === undefined) {
      const { path, options } = requestWith(operation, undefined)
      const answer = await server.send(operation.method, path, options)
      expect([answer.status, answer.code]).toEqual([501, 'NotImplemented'])
      return
    }
    for (const member of operation.input.members) {
      if (member.binding.to !== 'header' && member.binding.to !== 'query' && member.binding.to !== 'prefixHeaders') continue
      const treatment = treatments.get(member.name)
      const { path, options } = requestWith(operation, member)
      // Never the operation itself, which may delete the bucket: it is another account's as far as the request knows.
      const expectsOwner = operation.input.members.some(({ name }) => name === 'ExpectedBucketOwner')
      const headers = treatment?.kind === 'honoured' && expectsOwner ? { ...options.headers, 'x-amz-expected-bucket-owner': '999999999999' } : options.headers
      const body = documents[operation.name] ?? ''
      const answer = await server.send(operation.method, path, { ...options, ...(headers === undefined ? {} : { headers }), body })
      const told = `${member.name}: ${answer.status} ${answer.body}`
      if (treatment?.kind === 'honoured') expect(told).not.toContain(`<Parameter>${member.name}</Parameter>`)
      else expect([member.name, operation.method === 'HEAD' ? answer.status >= 400 : answer.code]).toEqual([member.name, operation.method === 'HEAD' ? true : treatment?.error])
    }
  })

  it('has left the bucket and its object alone', async () => {
    expect(await server.send('GET', '/bucket/key')).toMatchObject({ status: 200, body: 'value' })
  })
})
