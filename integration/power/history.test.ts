import { expect, test } from 'vitest'
import { History } from './history.ts'

test('a key may hold what was acknowledged or seen last before the cut, and all that was asked for since', () => {
  const history = new History()
  const first = history.begin('a', 'one', 10)
  history.acknowledge(first, 20)
  history.begin('a', 'two', 30)
  history.see('a', 'two', 40)
  history.acknowledge(history.begin('a', undefined, 50), 60)
  const allowedAt = (position: number) => history.expectedAt(position)[0]?.allowed
  expect(allowedAt(5)).toEqual([null])
  expect(allowedAt(15)).toEqual([null, 'one'])
  expect(allowedAt(20)).toEqual(['one'])
  expect(allowedAt(35)).toEqual(['one', 'two'])
  expect(allowedAt(40)).toEqual(['two'])
  expect(allowedAt(55)).toEqual(['two', null])
  expect(allowedAt(60)).toEqual([null])
})

test('a write whose answer was an error may still be there, under later ones', () => {
  const history = new History()
  history.begin('a', 'one', 10)
  const second = history.begin('a', 'two', 20)
  expect(history.expectedAt(25)).toEqual([{ key: 'a', allowed: [null, 'one', 'two'] }])
  history.acknowledge(second, 30)
  expect(history.expectedAt(30)).toEqual([{ key: 'a', allowed: ['two'] }])
})

test('bytes that nobody wrote are an error at once', () => {
  expect(() => new History().see('a', 'x', 1)).toThrow(/nobody wrote/)
})
