import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('no two share a name at once, each gets its turn in the order of asking, and none waits for ever', async () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(fc.tuple(names, fc.boolean()), { maxLength: 12 }), async (scheduler, requests) => {
    const turns = new Turns()
    const held = new Set<string>()
    const served = new Map<string, number[]>()
    const answers = requests.map(([wanted, fails], index) =>
      turns.run(wanted, async () => {
        for (const name of wanted) {
          expect(held.has(name)).toBe(false)
          held.add(name)
          served.set(name, [...(served.get(name) ?? []), index])
        }
        await scheduler.schedule(Promise.resolve())
        for (const name of wanted) held.delete(name)
        if (fails) throw new RangeError(String(index))
        return index
      }),
    )
    const settled = Promise.allSettled(answers)
    await scheduler.waitFor(settled)
    expect((await settled).map(({ status }) => status)).toEqual(requests.map(([, fails]) => (fails ? 'rejected' : 'fulfilled')))
    for (const order of served.values()) expect(order).toEqual(order.toSorted((left, right) => left - right))
  }))
})
