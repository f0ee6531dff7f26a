import { admittedBucket } from './authorize.ts'
import type { Clock } from '../../base/clock.ts'
import type { Engine } from '../../engine/index.ts'
import type { S3Service } from './operation.ts'

export interface S3ServiceParts {
  readonly engine: Engine
  /** The configured region; undefined: clients may name any, and us-east-1 is reported. */
  readonly region: string | undefined
  readonly clock: Clock
  /** The 12-digit account id of a canonical user id. */
  readonly accountIdOf: (ownerId: string) => Promise<string | undefined>
}

export function createS3Service({ engine, region, clock, accountIdOf }: S3ServiceParts): S3Service {
  return {
    engine,
    region: region ?? 'us-east-1',
    anyRegion: region === undefined,
    nowMs: () => clock.nowMs(),
    ownerOf: ownerId => ({ ID: ownerId }),
    admitBucket: (bucket, caller, expectedOwner) => admittedBucket(engine, accountIdOf, { bucket, caller, expectedOwner }),
  }
}
