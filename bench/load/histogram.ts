/** Latencies in buckets that are 3% wide, so that rounds merge and a percentile costs no list of samples. */
const bucketsPerDoubling = 24

export class Histogram {
  readonly #counts = new Map<number, number>()
  #total = 0

  add(microseconds: number, count = 1): void {
    const bucket = Math.round(Math.log2(Math.max(1, microseconds)) * bucketsPerDoubling)
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count)
    this.#total += count
  }

  /** In milliseconds; NaN when empty. */
  percentileMs(percent: number): number {
    let left = this.#total * (percent / 100)
    for (const [bucket, count] of [...this.#counts].toSorted(([a], [b]) => a - b)) {
      left -= count
      if (left <= 0) return 2 ** (bucket / bucketsPerDoubling) / 1000
    }
    return Number.NaN
  }

  /** `[microseconds, count]` pairs, for another process to add. */
  toPairs(): [number, number][] {
    return [...this.#counts].map(([bucket, count]) => [2 ** (bucket / bucketsPerDoubling), count])
  }
}
