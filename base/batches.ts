/** Maps `items` with at most `concurrency` calls under way; results in the order of `items`. The first error rejects. */
export async function inBatches<T, R>(items: readonly T[], concurrency: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array<R>(items.length)
  let next = 0
  const lane = async () => {
    for (let at = next++; at < items.length; at = next++) {
      results[at] = await map(items[at] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
  return results
}
