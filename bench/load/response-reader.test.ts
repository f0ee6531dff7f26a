import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ResponseReader, type ReadResponse } from './response-reader.ts'

interface Sent {
  readonly status: number
  readonly body: Uint8Array
  readonly chunkBytes: number | undefined
  readonly close: boolean
}

function encode({ status, body, chunkBytes, close }: Sent): Buffer {
  const connection = close ? 'Connection: close\r\n' : ''
  if (chunkBytes === undefined) return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} X\r\n${connection}Content-Length: ${body.length}\r\n\r\n`), body])
  const pieces = [Buffer.from(`HTTP/1.1 ${status} X\r\nTransfer-Encoding: chunked\r\n${connection}\r\n`)]
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes)
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), Buffer.from(chunk), Buffer.from('\r\n'))
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\nX-Trailer: y\r\n\r\n')])
}

const sent: fc.Arbitrary<Sent> = fc.record({
  status: fc.constantFrom(200, 206, 404, 503),
  body: fc.uint8Array({ maxLength: 300 }),
  chunkBytes: fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined }),
  close: fc.boolean(),
})

test('responses are told apart however their bytes arrive', () => {
  fc.assert(fc.property(fc.array(sent, { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), (responses, pieceBytes) => {
    const read: ReadResponse[] = []
    const reader = new ResponseReader(response => read.push(response))
    const bytes = Buffer.concat(responses.map(encode))
    for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes), false)
    expect(read).toEqual(responses.map(({ status, body, chunkBytes, close }) =>
      ({ status, bodyBytes: body.length, close, text: chunkBytes === undefined ? Buffer.from(body).toString('latin1') : '' })))
  }))
})

test('an answer to HEAD has no body, whatever length it states; 100 Continue is no answer', () => {
  const read: ReadResponse[] = []
  const reader = new ResponseReader(response => read.push(response))
  reader.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'), true)
  expect(read).toEqual([200, 204].map(status => ({ status, bodyBytes: 0, close: false, text: '' })))
})
