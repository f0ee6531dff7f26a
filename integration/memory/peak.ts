/** What the processes of a server have for themselves: `RssAnon` of both workers and the committer, sampled under load. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'

export const limitMebibytes = 400
const sampleMs = 50

export interface Measured {
  readonly endpoint: string
  readonly pid: number
}

function processes({ pid }: Measured): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

function anonymousMebibytes(pid: number): number {
  const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) / 1024
}

/** The most that any of them had while `work` ran; throws when one was replaced in between. */
export async function peakDuring(server: Measured, work: () => Promise<void>): Promise<number> {
  const before = processes(server)
  expect(before.length).toBe(3)
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, ...before.map(anonymousMebibytes))
  }, sampleMs)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  expect(processes(server)).toEqual(before)
  return peak
}
