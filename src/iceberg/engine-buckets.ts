import { badRequest, CatalogError, type Buckets } from '../../catalog/index.ts'
import { EngineError, type Engine } from '../../engine/index.ts'
import type { Account } from '../identity/caller.ts'
import { isValidBucketName, reservedBucketNames } from '../wire/bucket-name.ts'

export interface EngineBucketsOptions {
  readonly engine: Pick<Engine, 'headBucket' | 'createBucket'>
  readonly getAccountByNumber: (accountId: string) => Promise<Account | undefined>
  readonly region: string
}

/** The buckets of new warehouses: the caller's own, made where there is none. */
export function engineBuckets({ engine, getAccountByNumber, region }: EngineBucketsOptions): Buckets {
  return {
    async ensureBucket(bucket, caller) {
      if (!isValidBucketName(bucket) || reservedBucketNames.has(bucket)) throw badRequest(`Invalid bucket name: ${bucket}`)
      const account = await getAccountByNumber(caller.accountId)
      if (account === undefined) throw new CatalogError('Forbidden', 'Not authorized to make this request')
      const ownerId = await ownerOf(engine, bucket)
      if (ownerId === undefined) await create(engine, { bucket, ownerId: account.id, region, ...(account.quotas?.buckets === undefined ? {} : { mostBuckets: account.quotas.buckets }) })
      else if (!caller.isRoot && ownerId !== account.id) throw new CatalogError('Forbidden', `The bucket belongs to another account: ${bucket}`)
    },
  }
}

async function ownerOf(engine: Pick<Engine, 'headBucket'>, bucket: string): Promise<string | undefined> {
  try {
    return (await engine.headBucket(bucket)).ownerId
  } catch (error) {
    if (error instanceof EngineError && error.code === 'NoSuchBucket') return undefined
    throw error
  }
}

async function create(engine: Pick<Engine, 'createBucket'>, input: { bucket: string; ownerId: string; region: string; mostBuckets?: number }): Promise<void> {
  try {
    await engine.createBucket(input)
  } catch (error) {
    if (error instanceof EngineError && error.code === 'TooManyBuckets') throw new CatalogError('Forbidden', 'The account has as many buckets as it may have')
    if (!(error instanceof EngineError) || error.code !== 'BucketAlreadyExists') throw error
    throw new CatalogError('AlreadyExists', `The bucket was created concurrently: ${input.bucket}`)
  }
}
