import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ValueError } from './values.ts'
import { expandEllipses, parseEnvFile, splitWords } from './words.ts'

describe('splitWords', () => {
  it.each([
    ['', []],
    ['  a  b\tc\n', ['a', 'b', 'c']],
    ['--console-address ":9001" --address :9000', ['--console-address', ':9001', '--address', ':9000']],
    [String.raw`'a b' "c \"d\"" e\ f`, ['a b', 'c "d"', 'e f']],
    [`x"y z"'w'`, ['xy zw']],
    [`''`, ['']],
  ])('%j', (text, words) => {
    expect(splitWords(text)).toEqual(words)
  })

  it('refuses a quote that is not closed', () => {
    expect(() => splitWords('a "b')).toThrow(ValueError)
  })

  it('gives back words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), words => {
        const quoted = words.map(word => `'${word.replaceAll(`'`, `'\\''`)}'`).join(' ')
        expect(splitWords(quoted)).toEqual(words)
      }),
    )
  })
})

describe('parseEnvFile', () => {
  it('reads names, exports, quotes and comments', () => {
    const text = '# MinIO\nexport MINIO_ROOT_USER=admin\r\nMINIO_ROOT_PASSWORD="a=b c"\n\nMINIO_VOLUMES = \'/data\'\nEMPTY='
    expect(parseEnvFile(text)).toEqual({ MINIO_ROOT_USER: 'admin', MINIO_ROOT_PASSWORD: 'a=b c', MINIO_VOLUMES: '/data', EMPTY: '' })
  })

  it('names the line that is none', () => {
    expect(() => parseEnvFile('A=1\nnonsense')).toThrow('line 2')
  })
})

describe('expandEllipses', () => {
  it.each([
    ['/data', ['/data']],
    ['/mnt/drive{1...3}', ['/mnt/drive1', '/mnt/drive2', '/mnt/drive3']],
    ['/m{01...02}/d{1...2}', ['/m01/d1', '/m01/d2', '/m02/d1', '/m02/d2']],
    ['/a{5...5}b', ['/a5b']],
  ])('%s', (word, drives) => {
    expect(expandEllipses(word)).toEqual(drives)
  })

  it.each(['/d{3...1}', '/d{1...99999}'])('refuses %s', word => {
    expect(() => expandEllipses(word)).toThrow(ValueError)
  })
})
