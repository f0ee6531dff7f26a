import { describe, expect, it } from 'vitest'
import { evaluateConditions, ifRangeHolds } from './conditions.ts'
import type { ConditionOutcome, ReadConditions } from './conditions.ts'

const lastModifiedMs = Date.UTC(2026, 0, 1, 12, 0, 0, 500)
const current = { etag: 'abc', lastModifiedMs }
const before = lastModifiedMs - 5000
const same = lastModifiedMs - 500
const after = lastModifiedMs + 5000

describe('evaluateConditions', () => {
  it.each<[ReadConditions, ConditionOutcome]>([
    [{}, 'proceed'],
    [{ ifMatch: '"abc"' }, 'proceed'],
    [{ ifMatch: '*' }, 'proceed'],
    [{ ifMatch: '"x", "abc"' }, 'proceed'],
    [{ ifMatch: '"x"' }, 'preconditionFailed'],
    [{ ifNoneMatch: '"abc"' }, 'notModified'],
    [{ ifNoneMatch: 'W/"abc"' }, 'notModified'],
    [{ ifNoneMatch: '*' }, 'notModified'],
    [{ ifNoneMatch: '"x"' }, 'proceed'],
    [{ ifModifiedSinceMs: before }, 'proceed'],
    [{ ifModifiedSinceMs: same }, 'notModified'],
    [{ ifModifiedSinceMs: after }, 'notModified'],
    [{ ifUnmodifiedSinceMs: before }, 'preconditionFailed'],
    [{ ifUnmodifiedSinceMs: same }, 'proceed'],
    [{ ifUnmodifiedSinceMs: after }, 'proceed'],
    // The ETag decides over the date.
    [{ ifMatch: '"abc"', ifUnmodifiedSinceMs: before }, 'proceed'],
    [{ ifNoneMatch: '"x"', ifModifiedSinceMs: after }, 'proceed'],
    [{ ifNoneMatch: '"abc"', ifModifiedSinceMs: before }, 'notModified'],
    // A failed precondition decides over "not modified".
    [{ ifMatch: '"x"', ifNoneMatch: '"abc"' }, 'preconditionFailed'],
    [{ ifMatch: '"abc"', ifNoneMatch: '"abc"' }, 'notModified'],
    [{ ifUnmodifiedSinceMs: before, ifModifiedSinceMs: after }, 'preconditionFailed'],
  ])('%j: %s', (conditions, outcome) => {
    expect(evaluateConditions(conditions, current)).toBe(outcome)
  })
})

describe('ifRangeHolds', () => {
  it.each([
    ['"abc"', true],
    ['W/"abc"', false],
    ['"x"', false],
    ['Thu, 01 Jan 2026 12:00:00 GMT', true],
    ['Thu, 01 Jan 2026 12:00:01 GMT', false],
  ])('%s: %s', (ifRange, holds) => {
    expect(ifRangeHolds(ifRange, current)).toBe(holds)
  })
})
