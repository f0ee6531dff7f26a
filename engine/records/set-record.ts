import { recordFormat } from './record-format.ts'

/**
 * - `draining`: blobs are moved off the set; writers avoid it, but what they began before may still be published.
 * - `verifying`: everything that was found was moved off, and no blob that is written there is published any more.
 * - `empty`: no blob of the set is in use, so none ever will be. Final.
 */
export type SetState = 'draining' | 'verifying' | 'empty'

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
