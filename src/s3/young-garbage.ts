import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { KiB, MiB } from '../../base/units.ts'

/** Pieces of this size and more come in buffers outside V8's heap. */
const largePieceBytes = 16 * KiB
/** So much of them is let pile up: a scavenge takes about a millisecond. */
const pileBytes = 16 * MiB

// The flag adds a global `gc` to contexts made after it; ours stays without one.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void

let piledBytes = 0

/**
 * Counts the pieces of large bodies, and has V8 look through its young objects when many have gone by. Their buffers
 * lie outside its heap, so a stream of them makes few young objects and no scavenge, but meets V8's limit on outside
 * memory, which it answers by marking the whole heap: a fifth of the CPU of 10 MiB uploads.
 */
export function countPiece(bytes: number): void {
  if (bytes < largePieceBytes) return
  piledBytes += bytes
  if (piledBytes < pileBytes) return
  piledBytes = 0
  collect({ type: 'minor' })
}
