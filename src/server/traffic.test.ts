import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { Traffic } from './traffic.ts'

it('is busy while a request is under way, and for a moment after the last one', () => {
  let nowMs = 0
  const traffic = new Traffic({ nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: () => Promise.resolve() })
  const responses = [new EventEmitter(), new EventEmitter()]
  expect(traffic.isBusy).toBe(false)
  for (const response of responses) traffic.observe(response as ServerResponse)
  nowMs = 60_000
  expect(traffic.isBusy).toBe(true)
  responses[0]?.emit('close')
  nowMs = 120_000
  expect(traffic.isBusy).toBe(true)
  responses[1]?.emit('close')
  expect(traffic.isBusy).toBe(true)
  nowMs += 1000
  expect(traffic.isBusy).toBe(false)
})
