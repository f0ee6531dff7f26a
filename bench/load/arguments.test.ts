import { expect, test } from 'vitest'
import { formatSize, parseArguments, parseSize, UsageError } from './arguments.ts'

test('targets, operations and sizes are read, and refused with a word on what is wrong', () => {
  const parsed = parseArguments(['--target', 'a=http://127.0.0.1:9000,key,se,cret', '--operations', 'put,LIST', '--sizes', '4KiB,10MiB', '--seconds', '0.5'])
  expect(parsed).toMatchObject({
    targets: [{ name: 'a', url: 'http://127.0.0.1:9000', accessKeyId: 'key', secretAccessKey: 'se,cret' }],
    operations: ['PUT', 'LIST'], sizes: [4096, 10_485_760], durationMs: 500,
  })
  for (const args of [['--target', 'a'], ['--operations', 'STEAL'], ['--sizes', '4kb'], ['--rounds', '0'], ['--payload', 'none']]) {
    expect(() => parseArguments(args), args.join(' ')).toThrow(UsageError)
  }
})

test('sizes print as they are written', () => {
  expect(['1 B', '4 KiB', '10 MiB', '5 GiB'].map(text => formatSize(parseSize(text.replace(/ (B|)/, ''))))).toEqual(['1 B', '4 KiB', '10 MiB', '5 GiB'])
})
