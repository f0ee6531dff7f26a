import { recordFormat } from './record-format.ts'

/**
 * - `draining`: blobs are moved off the set; writers avoid it, but what they began before may still be published.
 * - `empty`: everything was moved off, and no blob that is written there is published any more. Final.
 * - `verifying`: as `empty`, and looked through once more.
 */
export type SetState = 'draining' | 'empty' | 'verifying'

/** A set that blobs are moved off; the others have no row. */
export interface SetRecord {
  readonly state: SetState
  readonly sinceMs: number
}

type Stored1 = readonly [state: SetState, sinceMs: number]

export const setFormat = recordFormat<SetRecord>({
  name: 'set',
  version: 1,
  encode: ({ state, sinceMs }): Stored1 => [state, sinceMs],
  decode: { 1: ([state, sinceMs]: Stored1) => ({ state, sinceMs }) },
})
