import { describe, expect, it } from 'vitest'
import type { MoveProgress } from '../../engine/index.ts'
import type { AdminClientOptions } from './admin-client.ts'
import { decommissionText, movesText, percentOf, rebalanceText } from './moves-text.ts'
import { runDecommission } from './run-moves.ts'

const progress: MoveProgress = { pass: 1, cursor: '', totalBlobs: 10, totalBytes: 4 << 20, movedBlobs: 5, movedBytes: 2 << 20, failedBlobs: 0, lastFailure: undefined }

describe('what is moved between sets', () => {
  it('is told with how far it is, what holds it up, and what to do next', () => {
    expect(decommissionText({ set: 2, hasMetadata: false, state: 'draining' })).toBe('begun')
    expect(decommissionText({ set: 2, hasMetadata: false, state: 'draining', progress })).toBe('50 %, 5 blobs, 2 MiB moved')
    expect(decommissionText({ set: 2, hasMetadata: false, state: 'verifying', progress: { ...progress, failedBlobs: 2, lastFailure: 'blob X: gone' } })).toBe('50 %, 5 blobs, 2 MiB moved, 2 could not be moved yet (blob X: gone)')
    expect(decommissionText({ set: 2, hasMetadata: false, state: 'empty', progress })).toBe('done, 5 blobs, 2 MiB moved; its drives may be left out at the next start')
    expect(decommissionText({ set: 1, hasMetadata: true, state: 'empty', progress })).toMatch(/the metadata leave it at the next start with all drives/)
    expect(rebalanceText({ id: 'x', state: 'cancelled', progress })).toBe('cancelled, 5 blobs, 2 MiB moved')
    expect(movesText({ decommissions: [], rebalance: { id: 'x', state: 'running' } })).toBe('Rebalance: begun\n')
  })

  it('is never done before its end, and nothing is no part of nothing', () => {
    expect(percentOf({ ...progress, movedBytes: 9 << 20 })).toBe(99)
    expect(percentOf({ ...progress, totalBytes: 0 })).toBe(0)
  })

  it('names a server that cannot be reached', async () => {
    const client: AdminClientOptions = { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', root: { user: 'a', password: 'b' }, clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => {} } }
    await expect(runDecommission(client, { kind: 'decommission', set: '2', endpoint: undefined, json: false, wait: false, cancel: false }, { write: () => {}, isTerminal: false })).rejects.toThrow('http://127.0.0.1:1 cannot be reached')
  })
})
