import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { AssertionError } from '../../base/assert.ts'
import { BodyDigests } from './body-digests.ts'

it('computes what was asked for, once for each algorithm', () => {
  const digests = new BodyDigests(['MD5', 'CRC32'])
  digests.require('SHA256')
  digests.require('MD5')
  digests.update(Buffer.from('12345'))
  digests.update(Buffer.from('6789'))
  expect(digests.etag()).toBe(createHash('md5').update('123456789').digest('hex'))
  expect(digests.base64('MD5')).toBe(createHash('md5').update('123456789').digest('base64'))
  expect(digests.digest('SHA256')).toEqual(createHash('sha256').update('123456789').digest())
  expect(digests.base64('CRC32')).toBe('y/Q5Jg==')
})

it('a digest that is asked for too late, or never, is our own mistake', () => {
  const digests = new BodyDigests(['MD5'])
  digests.update(Buffer.from('1'))
  digests.require('MD5')
  expect(() => digests.require('SHA1')).toThrow(AssertionError)
  expect(() => digests.digest('SHA1')).toThrow(AssertionError)
})
