import { expect, it } from 'vitest'
import { isValidBucketName } from './bucket-name.ts'

it.each(['lake', 'a-b', 'my.bucket', '123', 'a'.repeat(63), '1.2.3', '1.2.3.4.5'])('%s is a bucket name', (name) => {
  expect(isValidBucketName(name)).toBe(true)
})

it.each([
  'ab', '', 'a'.repeat(64), 'Lake', 'a_b', '-ab', 'ab-', '.ab', 'ab.', 'a..b', '192.168.5.4', 'xn--abc', 'sthree-x', 'amzn-s3-demo-x', 'x-s3alias',
  'x--ol-s3', 'x.mrap', 'x--x-s3', 'x--table-s3', 'a b', 'ü-ab', 'a/b', 'abc\n',
])('%j is none', (name) => {
  expect(isValidBucketName(name)).toBe(false)
})
