import type { Clock } from '../../base/clock.ts'
import { minuteMs, secondMs } from '../../base/units.ts'
import type { SetMember } from './set-member.ts'

/** A drive that was too slow, and takes longer for a small file, is still too slow. */
const quickMs = 3 * secondMs
/** One that fails again so soon after its return has to be well for a while before the next, twice as long each time. */
const relapseMs = 10 * minuteMs
const firstTrialMs = 10 * secondMs
const longestTrialMs = 5 * minuteMs

interface Trial {
  readonly trialMs: number
  wellSinceMs: number | undefined
  returnedAtMs: number
}

/** Which drives that answer again may be used again: one that comes and goes would fail or hold up a request each time. */
export class Probation {
  readonly #clock: Clock
  readonly #trials = new Map<SetMember, Trial>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** After a drive that is out was written to in `probeMs`. */
  mayReturn(member: SetMember, probeMs: number): boolean {
    const { condition } = member
    if (condition.kind !== 'out' || (condition.reason !== 'slow' && condition.reason !== 'failing')) return true
    const nowMs = this.#clock.nowMs()
    const trial = this.#trialOf(member, condition.sinceMs)
    trial.wellSinceMs = probeMs <= quickMs ? (trial.wellSinceMs ?? nowMs) : undefined
    if (trial.wellSinceMs === undefined || nowMs - trial.wellSinceMs < trial.trialMs) return false
    trial.returnedAtMs = nowMs
    return true
  }

  #trialOf(member: SetMember, sinceMs: number): Trial {
    const before = this.#trials.get(member)
    if (before !== undefined && before.returnedAtMs === Infinity) return before
    const isRelapse = before !== undefined && sinceMs - before.returnedAtMs < relapseMs
    const trialMs = isRelapse ? Math.min(Math.max(2 * before.trialMs, firstTrialMs), longestTrialMs) : 0
    const trial = { trialMs, wellSinceMs: undefined, returnedAtMs: Infinity }
    this.#trials.set(member, trial)
    return trial
  }
}
