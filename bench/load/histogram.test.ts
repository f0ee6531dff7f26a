import { expect, test } from 'vitest'
import { Histogram } from './histogram.ts'

test('percentiles are within a bucket of the samples, merged or not', () => {
  const whole = new Histogram()
  const merged = new Histogram()
  for (const start of [1, 501]) {
    const half = new Histogram()
    for (let ms = start; ms < start + 500; ms += 1) {
      whole.add(ms * 1000)
      half.add(ms * 1000)
    }
    for (const [microseconds, count] of half.toPairs()) merged.add(microseconds, count)
  }
  for (const histogram of [whole, merged]) {
    expect(Math.abs(histogram.percentileMs(50) / 500 - 1)).toBeLessThan(0.03)
    expect(Math.abs(histogram.percentileMs(99) / 990 - 1)).toBeLessThan(0.03)
  }
  expect(new Histogram().percentileMs(50)).toBeNaN()
})
