import { expect, it } from 'vitest'
import { judgeCopies, type TriedCopy } from './copy-trial.ts'

const copy = (directory: string, kind: 'whole' | 'none' | 'unknown' | 'damaged', isCurrent = true): TriedCopy =>
  kind === 'damaged' ? { directory, isCurrent, kind, message: 'it is bad' } : { directory, isCurrent, kind }

it('makes damaged copies anew where a current one proves that it is whole', () => {
  const verdict = judgeCopies([copy('a', 'damaged'), copy('b', 'whole'), copy('c', 'none', false), copy('d', 'damaged', false)])
  expect(verdict).toMatchObject({ kind: 'goOn', damaged: [{ directory: 'a' }, { directory: 'd' }] })
})

it.each([
  ['a copy of an epoch that is over', [copy('b', 'whole', false)]],
  ['a drive without a copy', [copy('b', 'none')]],
  ['a drive that fails', [copy('b', 'unknown')]],
])('makes nothing anew where all that is left is %s', (_, others) => {
  expect(judgeCopies([copy('a', 'damaged'), ...others])).toEqual({
    kind: 'lost',
    messages: ['the copy of the metadata in a is damaged: it is bad', expect.stringMatching(/^no other copy can be read, and nothing was removed/) as string],
  })
})

it('goes on where no copy is damaged', () => {
  expect(judgeCopies([copy('a', 'whole'), copy('b', 'unknown')])).toEqual({ kind: 'goOn', damaged: [] })
})
