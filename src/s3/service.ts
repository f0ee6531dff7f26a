import { readAccountBlock } from './account-public-access.ts'
import { createAuthorizer } from './authorize.ts'
import { blockAll, bucketAccessReader } from './bucket-access.ts'
import { createStorageQuota } from './storage-quota.ts'
import type { Clock } from '../../base/clock.ts'
import { byPolicies, type Decider } from '../policy/decider.ts'
import type { Engine } from '../../engine/index.ts'
import type { Account } from '../identity/caller.ts'
import type { NewBucketDefaults, S3Service } from './operation.ts'

export interface S3ServiceParts {
  readonly engine: Engine
  /** The configured region; undefined: clients may name any, and us-east-1 is reported. */
  readonly region: string | undefined
  readonly clock: Clock
  /** The 12-digit account id of a canonical user id. */
  readonly accountIdOf: (ownerId: string) => Promise<string | undefined>
  /** The account of a canonical user id, for its quotas. Absent: nobody has any but callers. */
  readonly accountOf?: (ownerId: string) => Promise<Account | undefined>
  /** Absent: AWS's, where ACLs are off and everything public is blocked. */
  readonly newBucketDefaults?: NewBucketDefaults
  /** Absent: the policies alone. */
  readonly decider?: Decider
}

export function createS3Service({ engine, region, clock, accountIdOf, accountOf = async () => undefined, newBucketDefaults, decider = byPolicies }: S3ServiceParts): S3Service {
  return {
    engine,
    region: region ?? 'us-east-1',
    anyRegion: region === undefined,
    nowMs: () => clock.nowMs(),
    ownerOf: ownerId => ({ ID: ownerId }),
    authorizer: createAuthorizer({ engine, accessOf: bucketAccessReader(engine), accountIdOf, accountBlockOf: accountId => readAccountBlock(engine, accountId), decider }),
    accountIdOf,
    storageQuota: createStorageQuota({ usageOf: ownerId => engine.usageOf(ownerId), accountOf }),
    newBucketDefaults: newBucketDefaults ?? { ownership: 'BucketOwnerEnforced', publicAccessBlock: blockAll },
  }
}
