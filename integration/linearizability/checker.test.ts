import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLinearizable } from './checker.ts'
import { objectModel, type KeyInput, type KeyOperation, type KeyOutput } from './object-model.ts'

const operation = (calledAt: number, answeredAt: number, input: KeyInput, output: KeyOutput = { kind: 'done' }): KeyOperation => ({ calledAt, answeredAt, input, output })
const put = (etag: string, rest: Omit<Extract<KeyInput, { op: 'put' }>, 'op' | 'etag'> = {}): KeyInput => ({ op: 'put', etag, ...rest })
const seen = (etag: string | undefined): KeyOutput => ({ kind: 'seen', etag })
const failed: KeyOutput = { kind: 'refused', because: 'PreconditionFailed' }
const missing: KeyOutput = { kind: 'refused', because: 'NoSuchKey' }
const read: KeyInput = { op: 'read' }
const remove: KeyInput = { op: 'delete' }
const never = Infinity

const linearizable: Record<string, KeyOperation[]> = {
  'nothing': [],
  'a read beside a write sees it or not': [operation(0, 10, put('a')), operation(1, 2, read, seen(undefined)), operation(3, 4, read, seen('a'))],
  'of two creators one wins': [operation(0, 10, put('a', { ifNoneMatch: '*' })), operation(0, 10, put('b', { ifNoneMatch: '*' }), failed), operation(11, 12, read, seen('a'))],
  'a chain of conditional writes in the order of their conditions': [operation(0, 9, put('c', { ifMatch: 'b' })), operation(0, 9, put('b', { ifMatch: 'a' })), operation(0, 9, put('a'))],
  'a write that nobody was told of happens late': [operation(0, never, put('a')), operation(5, 6, read, seen(undefined)), operation(7, 8, read, seen('a'))],
  'a write that nobody was told of never happens': [operation(0, never, put('a')), operation(5, 6, read, seen(undefined)), operation(7, 8, put('b', { ifNoneMatch: '*' }))],
  'a condition on what is not there': [operation(0, 1, put('b', { ifMatch: 'a' }), missing), operation(2, 3, remove), operation(4, 5, { op: 'delete', ifMatch: 'a' }, missing)],
}

const broken: Record<string, KeyOperation[]> = {
  'a lost write': [operation(0, 1, put('a')), operation(2, 3, read, seen(undefined))],
  'a read that goes back': [operation(0, 10, put('a')), operation(1, 2, read, seen('a')), operation(3, 4, read, seen(undefined))],
  'two winners of one condition': [operation(0, 1, put('a')), operation(2, 9, put('b', { ifMatch: 'a' })), operation(2, 9, put('c', { ifMatch: 'a' }))],
  'two creators': [operation(0, 9, put('a', { ifNoneMatch: '*' })), operation(0, 9, put('b', { ifNoneMatch: '*' }))],
  'a refusal without a reason': [operation(0, 1, put('a', { ifNoneMatch: '*' }), failed)],
  'a delete that is undone': [operation(0, 1, put('a')), operation(2, 3, remove), operation(4, 5, read, seen('a'))],
  'a value that nobody wrote': [operation(0, 1, read, seen('x'))],
  'a write that nobody was told of, seen and gone': [operation(0, never, put('a')), operation(1, 2, read, seen('a')), operation(3, 4, read, seen(undefined))],
  'a write that nobody was told of, before its call': [operation(0, 1, read, seen('a')), operation(2, never, put('a'))],
}

describe('a history is linearizable', () => {
  test.each(Object.entries(linearizable))('%s', (_, history) => expect(isLinearizable(history, objectModel)).toBe(true))
})

describe('a history is not linearizable', () => {
  test.each(Object.entries(broken))('%s', (_, history) => expect(isLinearizable(history, objectModel)).toBe(false))
})

// ---- beside every order there is

const etags = ['a', 'b'] as const
const someEtag = fc.constantFrom(...etags)
const someInput: fc.Arbitrary<KeyInput> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), etag: someEtag }),
  fc.record({ op: fc.constant('put' as const), etag: someEtag, ifMatch: someEtag }),
  fc.record({ op: fc.constant('put' as const), etag: someEtag, ifNoneMatch: fc.constant('*' as const) }),
  fc.constant({ op: 'delete' as const }),
  fc.record({ op: fc.constant('delete' as const), ifMatch: someEtag }),
  fc.constant({ op: 'read' as const }),
)

/** What the input may be answered with, right or wrong. */
function outputsOf({ op }: KeyInput): fc.Arbitrary<KeyOutput> {
  if (op === 'read') return fc.option(someEtag, { nil: undefined }).map(seen)
  return fc.oneof({ weight: 4, arbitrary: fc.constant<KeyOutput>({ kind: 'done' }) }, { weight: 1, arbitrary: fc.constantFrom(failed, missing) })
}

const someOperation: fc.Arbitrary<KeyOperation> = someInput.chain(input => fc.record({
  input: fc.constant(input),
  output: outputsOf(input),
  calledAt: fc.integer({ min: 0, max: 12 }),
  durationMs: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 8 }) }, { weight: 1, arbitrary: fc.constant(Infinity) }),
}).map(({ durationMs, ...rest }) => ({ ...rest, answeredAt: rest.calledAt + durationMs })))

/** Tries every order of every choice of operations that nobody was told of. */
function hasOrder(left: readonly KeyOperation[], state: string | undefined): boolean {
  if (left.every(({ answeredAt }) => answeredAt === Infinity)) return true
  return left.some(first => {
    if (left.some(other => other.answeredAt < first.calledAt)) return false
    const next = objectModel.step(state, first.input, first.answeredAt === Infinity ? undefined : first.output)
    return next !== undefined && hasOrder(left.filter(other => other !== first), next.state)
  })
}

describe('the checker agrees with trying every order', () => {
  test('of any history', () => {
    const found = { yes: 0, no: 0 }
    fc.assert(fc.property(fc.array(someOperation, { maxLength: 7 }), history => {
      const expected = hasOrder(history, objectModel.initial)
      found[expected ? 'yes' : 'no']++
      expect(isLinearizable(history, objectModel)).toBe(expected)
    }), { numRuns: 5000, seed: 1 })
    expect(Math.min(found.yes, found.no)).toBeGreaterThan(300)
  })

  test('of histories that came from an order, also with one answer changed', () => {
    const found = { yes: 0, no: 0 }
    fc.assert(fc.property(fc.array(someOperation, { minLength: 2, maxLength: 7 }), fc.nat(), fc.boolean(), (drawn, at, isChanged) => {
      const history = answeredInOrder(drawn)
      const changed = history.map((each, index) => (isChanged && index === at % history.length ? { ...each, output: drawn[index]?.output ?? each.output } : each))
      const expected = hasOrder(changed, objectModel.initial)
      if (!isChanged) expect(expected).toBe(true)
      found[expected ? 'yes' : 'no']++
      expect(isLinearizable(changed, objectModel)).toBe(expected)
    }), { numRuns: 5000, seed: 2 })
    expect(Math.min(found.yes, found.no)).toBeGreaterThan(300)
  })
})

/** The answers of an object that does each operation at the time of its call. */
function answeredInOrder(drawn: readonly KeyOperation[]): KeyOperation[] {
  let state = objectModel.initial
  return drawn.toSorted((a, b) => a.calledAt - b.calledAt).map(each => {
    const outputs: KeyOutput[] = [{ kind: 'done' }, failed, missing, seen(state)]
    for (const output of outputs) {
      const next = objectModel.step(state, each.input, output)
      if (next === undefined) continue
      state = next.state
      return { ...each, output }
    }
    throw new Error('every operation has an answer')
  })
}
