/** For tests: an engine over real stores in a temporary directory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SeededRandom } from '../../base/seeded-random.ts'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import { systemRandom } from '../../base/system.ts'
import { secretBox, type SecretBox } from './secret-box.ts'
import { openDeployment, openEngine, prepareDeployment, type Engine } from '../../engine/index.ts'

export interface ScratchEngine {
  readonly engine: Engine
  readonly clock: SimulatedClock
  readonly random: SeededRandom
  readonly box: SecretBox
  remove(): Promise<void>
}

export async function openScratchEngine(): Promise<ScratchEngine> {
  const drive = await mkdtemp(join(tmpdir(), 'moraine-scratch-'))
  const clock = new SimulatedClock()
  const prepared = await prepareDeployment({ drives: [drive], clock, random: systemRandom })
  const deployment = await openDeployment({ drives: [drive], clock, random: systemRandom })
  const engine = openEngine({ metadata: deployment.metadata, blobs: deployment.blobs, clock, random: systemRandom })
  return {
    engine,
    clock,
    random: new SeededRandom(1),
    box: secretBox(Buffer.alloc(32, 5), systemRandom),
    remove: async () => {
      await engine.close()
      await deployment.close()
      prepared.release()
      await rm(drive, { recursive: true, force: true })
    },
  }
}
