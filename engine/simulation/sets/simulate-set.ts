import { simulate, type SimulationResult } from '../simulate.ts'
import { type SetMutation, SetWorld } from './set-world.ts'

/** The simulation of the engine, over a set of drives with the metadata among them: nothing is in memory but the drives. */
export function simulateSet(seed: number, mutation?: SetMutation): Promise<SimulationResult> {
  return simulate(seed, { makeWorld: (random, scheduler) => SetWorld.make(random, scheduler, mutation) })
}
