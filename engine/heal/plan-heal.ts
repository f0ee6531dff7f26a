/** What one shard of a blob turned out to be. */
export type ShardState =
  /** Whole as far as was looked: header and footer, and its blocks when they were read. */
  | 'good'
  | 'missing'
  /** It does not match its checksums, or was never finished. */
  | 'corrupt'
  /** Its drive cannot be read. */
  | 'absent'

export type HealPlan =
  | { readonly kind: 'whole' }
  /** The shards to be made anew. */
  | { readonly kind: 'rebuild'; readonly shards: readonly number[] }
  /** Too few shards are good, and some of them may be on drives that cannot be read now. */
  | { readonly kind: 'wait' }
  /** Too few shards are good: the blob was never finished, is deleted, or is lost. Nothing is touched. */
  | { readonly kind: 'hopeless' }

/**
 * Pure. `writable` says on which drives a shard could be made; `isRead`: every block of the blob was read or computed, so it
 * can be mended although too few shards are good from end to end.
 */
export function planHeal(states: readonly ShardState[], writable: readonly boolean[], dataShards: number, isRead = false): HealPlan {
  const count = (wanted: ShardState): number => states.filter((state) => state === wanted).length
  if (!isRead && count('good') < dataShards) return { kind: count('good') + count('absent') < dataShards ? 'hopeless' : 'wait' }
  const shards = states.flatMap((state, shard) => ((state === 'missing' || state === 'corrupt') && writable[shard] === true ? [shard] : []))
  if (shards.length > 0) return { kind: 'rebuild', shards }
  return { kind: count('good') === states.length ? 'whole' : 'wait' }
}
