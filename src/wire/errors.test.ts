import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { s3ErrorCodes } from './error-codes.ts'
import { S3Error, writeErrorXml } from './errors.ts'
import { parseXml } from './parse-xml.ts'

describe('docs/errors.md', () => {
  const documented = new Map(
    (readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8').split('\n## ').find((section) => section.startsWith('S3\n')) ?? '')
      .split('\n')
      .flatMap((line) => {
        const [, code, status] = /^\| `(\w+)` \| (\d{3}) \| \S/.exec(line) ?? []
        return code === undefined ? [] : [[code, Number(status)] as const]
      }),
  )

  it('has a line for every code, with its status, and for no other', () => {
    const statuses = Object.entries(s3ErrorCodes).map(([code, [status]]) => [code, status] as const)
    expect([...documented].toSorted()).toEqual(statuses.toSorted())
  })
})

describe('writeErrorXml', () => {
  it('writes code, message, elements and the ids, in this order', () => {
    const error = new S3Error('NoSuchKey', undefined, { Key: 'a&b\r', VersionId: undefined, Size: 3 })
    const xml = writeErrorXml(error, { resource: '/lake/a', requestId: 'R1', hostId: 'H1' })
    expect(xml).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>' +
        '<Key>a&amp;b&#xd;</Key><Size>3</Size><Resource>/lake/a</Resource><RequestId>R1</RequestId><HostId>H1</HostId></Error>',
    )
    expect(parseXml(Buffer.from(xml)).children.map(({ name }) => name)).toEqual(['Code', 'Message', 'Key', 'Size', 'Resource', 'RequestId', 'HostId'])
  })

  it('takes its status from the code', () => {
    expect(new S3Error('NotModified').status).toBe(304)
    expect(new S3Error('InvalidRange', undefined, {}, { 'content-range': 'bytes */3' })).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */3' } })
  })
})
