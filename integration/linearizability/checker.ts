/**
 * Whether a history of concurrent operations on one object could have come from operations done one after the other, each at
 * some time between its call and its answer (Herlihy and Wing). The search is Wing and Gong's with Lowe's memory of what has
 * been tried: which operations are done, and the state that they led to.
 */

export interface Operation<Input, Output> {
  readonly input: Input
  readonly calledAt: number
  /** Infinity when nobody was told: it happened at any time since its call, or never. */
  readonly answeredAt: number
  /** Ignored of an operation that nobody was told of. */
  readonly output: Output
}

/** The object, one operation at a time. */
export interface Model<State, Input, Output> {
  readonly initial: State
  /** The state afterwards, or undefined when the operation cannot answer so in this state. `output` undefined: whatever it answers. */
  step(state: State, input: Input, output: Output | undefined): { readonly state: State } | undefined
  /** Equal for equal states. */
  describe(state: State): string
}

/** The operations by the time of their calls, of which those answered all have a place in the order. */
export function isLinearizable<State, Input, Output>(history: readonly Operation<Input, Output>[], model: Model<State, Input, Output>): boolean {
  const operations = history.toSorted((a, b) => a.calledAt - b.calledAt)
  const tried = new Set<string>()
  const done = new Uint8Array(operations.length)
  let answeredLeft = operations.filter(({ answeredAt }) => answeredAt !== Infinity).length

  const search = (state: State, firstOpen: number): boolean => {
    if (answeredLeft === 0) return true
    const configuration = `${Buffer.from(done.subarray(firstOpen)).toString('latin1')} ${firstOpen} ${model.describe(state)}`
    if (tried.has(configuration)) return false
    tried.add(configuration)
    // Whatever is called after an open operation's answer comes after that operation.
    let earliestAnswer = Infinity
    for (let at = firstOpen; at < operations.length; at++) if (done[at] === 0) earliestAnswer = Math.min(earliestAnswer, operations[at]?.answeredAt ?? Infinity)
    for (let at = firstOpen; at < operations.length; at++) {
      const operation = operations[at]
      if (operation === undefined || operation.calledAt > earliestAnswer) break
      if (done[at] === 1) continue
      const isAnswered = operation.answeredAt !== Infinity
      const next = model.step(state, operation.input, isAnswered ? operation.output : undefined)
      if (next === undefined) continue
      done[at] = 1
      if (isAnswered) answeredLeft--
      if (search(next.state, firstUndone(done, firstOpen))) return true
      done[at] = 0
      if (isAnswered) answeredLeft++
    }
    return false
  }
  return search(model.initial, 0)
}

function firstUndone(done: Uint8Array, from: number): number {
  let at = from
  while (done[at] === 1) at++
  return at
}
