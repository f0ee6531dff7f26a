import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { detectOperation, pathKindOf } from './detect.ts'
import type { DetectRequest } from './detect.ts'
import { parseQuery } from './query.ts'
import { s3Operations } from './s3-operations.ts'

function detect(method: string, pathKind: DetectRequest['pathKind'], query = '', headers: DetectRequest['headers'] = {}) {
  return detectOperation({ method, pathKind, query: parseQuery(query), headers })
}

describe('detectOperation', () => {
  it.each([...s3Operations.values()])('tells a canonical $name from all others', (operation) => {
    const required = operation.input.members.filter((member) => member.required)
    const literal = operation.uri.split('?')[1]
    const parameters = required.flatMap(({ binding }) => (binding.to === 'query' ? [`${binding.name}=1`] : []))
    const headers = required.flatMap(({ binding }) => (binding.to === 'header' ? [[binding.name.toLowerCase(), 'x']] : []))
    const query = [...(literal === undefined ? [] : [literal]), ...parameters].join('&')
    expect(detect(operation.method, pathKindOf(operation), query, Object.fromEntries(headers))).toEqual({ operation: operation.name })
  })

  it('ignores x-id, presign parameters and the order of parameters', () => {
    expect(detect('GET', 'object', 'x-id=PutObject&X-Amz-Signature=ab')).toEqual({ operation: 'GetObject' })
    expect(detect('PUT', 'object', 'uploadId=a&X-Amz-Date=b&partNumber=1')).toEqual({ operation: 'UploadPart' })
  })

  it('reads the copy source from a presigned URL too', () => {
    expect(detect('PUT', 'object', 'x-amz-copy-source=a%2Fb')).toEqual({ operation: 'CopyObject' })
  })

  it('knows listings by the value of list-type', () => {
    expect(detect('GET', 'bucket', 'list-type=2')).toEqual({ operation: 'ListObjectsV2' })
    expect(detect('GET', 'bucket', 'list-type=1')).toEqual({ operation: 'ListObjects' })
    expect(detect('GET', 'bucket', 'prefix=a')).toEqual({ operation: 'ListObjects' })
  })

  it('keeps an operation that lacks what it requires', () => {
    expect(detect('GET', 'object', 'attributes')).toEqual({ operation: 'GetObjectAttributes' })
  })

  it('takes half an operation for no other one', () => {
    expect(detect('PUT', 'object', 'uploadId=a')).toEqual({ unknown: 'incomplete', name: 'uploadId' })
    expect(detect('PUT', 'object', 'partNumber=1')).toEqual({ unknown: 'incomplete', name: 'partNumber' })
    expect(detect('PUT', 'object', 'partNumber=1', { 'x-amz-copy-source': 'a/b' })).toEqual({ unknown: 'incomplete', name: 'partNumber' })
    expect(detect('GET', 'object', 'partNumber=1')).toEqual({ operation: 'GetObject' })
  })

  it('refuses sub-resources elsewhere, or with another method', () => {
    expect(detect('DELETE', 'bucket', 'acl')).toEqual({ unknown: 'MethodNotAllowed' })
    expect(detect('PUT', 'bucket', 'versions')).toEqual({ unknown: 'MethodNotAllowed' })
    expect(detect('GET', 'service', 'uploads')).toEqual({ unknown: 'MethodNotAllowed' })
    expect(detect('POST', 'object')).toEqual({ unknown: 'MethodNotAllowed' })
    expect(detect('POST', 'bucket')).toEqual({ unknown: 'MethodNotAllowed' })
    expect(detect('PATCH', 'object')).toEqual({ unknown: 'MethodNotAllowed' })
  })

  it('refuses two sub-resources at once', () => {
    expect(detect('GET', 'object', 'acl&versionId=1&tagging')).toEqual({ unknown: 'conflict', names: ['acl', 'tagging'] })
  })
})

describe('any request', () => {
  const names = [...new Set([...s3Operations.values()].flatMap(({ uri, input }) => [
    ...new URLSearchParams(uri.split('?')[1] ?? '').keys(), ...input.members.flatMap(({ binding }) => (binding.to === 'query' ? [binding.name] : [])),
  ]))]
  const name = fc.oneof(fc.constantFrom(...names), fc.string())

  it('is an operation of its method and kind of path, or says why it is none', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'), fc.string()),
        fc.constantFrom<DetectRequest['pathKind']>('service', 'bucket', 'object'),
        fc.array(fc.tuple(name, fc.oneof(fc.constantFrom('', '2'), fc.string())), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('x-amz-copy-source', 'x-amz-rename-source', 'x-amz-object-attributes'), fc.string(), { maxKeys: 2 }),
        (method, pathKind, parameters, headers) => {
          const query = new Map(parameters.map(([each, value]) => [each, [value]]))
          const detected = detectOperation({ method, pathKind, query, headers })
          if (!('operation' in detected)) {
            expect(['MethodNotAllowed', 'incomplete', 'conflict']).toContain(detected.unknown)
            return
          }
          const operation = s3Operations.get(detected.operation)
          expect([operation?.method, operation === undefined ? '' : pathKindOf(operation)]).toEqual([method, pathKind])
        },
      ),
      { numRuns: 2000 },
    )
  })
})
