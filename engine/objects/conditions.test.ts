import { describe, expect, it } from 'vitest'
import { EngineError, type WriteConditions } from '../engine.ts'
import type { VersionRecord } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { plain } from './test-engine.ts'

const place = { versionId: 'null', order: 1, lastModifiedMs: 5500, ownerId: '' }
const object: VersionRecord = {
  ...place,
  kind: 'object',
  etag: 'abc',
  sizeBytes: 7,
  checksums: [],
  attributes: plain,
  tags: {},
  partsCount: undefined,
  content: { kind: 'empty' },
}
const marker: VersionRecord = { ...place, kind: 'deleteMarker' }
type Outcome = 'ok' | 'NoSuchKey' | 'PreconditionFailed'

const table: readonly (readonly [conditions: WriteConditions, onObject: Outcome, onMissing: Outcome, markerOnWrite: Outcome, markerOnDelete: Outcome])[] = [
  [{}, 'ok', 'ok', 'ok', 'ok'],
  [{ ifMatch: ['abc'] }, 'ok', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatch: ['x', 'abc'] }, 'ok', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatch: ['*'] }, 'ok', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatch: ['x'] }, 'PreconditionFailed', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatch: [] }, 'PreconditionFailed', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifNoneMatch: ['*'] }, 'PreconditionFailed', 'ok', 'ok', 'ok'],
  [{ ifNoneMatch: ['abc'] }, 'PreconditionFailed', 'ok', 'ok', 'ok'],
  [{ ifNoneMatch: ['x'] }, 'ok', 'ok', 'ok', 'ok'],
  [{ ifMatch: ['abc'], ifNoneMatch: ['abc'] }, 'PreconditionFailed', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatchSizeBytes: 7 }, 'ok', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatchSizeBytes: 8 }, 'PreconditionFailed', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatchLastModifiedMs: 5000 }, 'ok', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
  [{ ifMatchLastModifiedMs: 6000 }, 'PreconditionFailed', 'NoSuchKey', 'NoSuchKey', 'PreconditionFailed'],
]

function outcomeOf(operation: 'write' | 'delete', current: VersionRecord | undefined, conditions: WriteConditions): string {
  try {
    evaluateConditions(operation, current, conditions)
    return 'ok'
  } catch (error) {
    return error instanceof EngineError ? error.code : String(error)
  }
}

describe('conditions of writes and deletes', () => {
  it.each(table)('%j', (conditions, onObject, onMissing, markerOnWrite, markerOnDelete) => {
    expect(outcomeOf('write', object, conditions)).toBe(onObject)
    expect(outcomeOf('delete', object, conditions)).toBe(onObject)
    expect(outcomeOf('write', undefined, conditions)).toBe(onMissing)
    expect(outcomeOf('delete', undefined, conditions)).toBe(onMissing)
    expect(outcomeOf('write', marker, conditions)).toBe(markerOnWrite)
    expect(outcomeOf('delete', marker, conditions)).toBe(markerOnDelete)
  })
})
