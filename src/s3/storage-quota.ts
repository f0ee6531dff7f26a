import type { OwnerUsage } from '../../engine/index.ts'
import type { Account } from '../identity/caller.ts'
import { S3Error } from '../wire/errors.ts'

export interface StorageQuotaParts {
  readonly usageOf: (ownerId: string) => Promise<OwnerUsage>
  /** Of another account than the caller's; undefined: it is not there, or has none. */
  readonly accountOf: (ownerId: string) => Promise<Account | undefined>
}

/** The quotas of bytes of those who own buckets. */
export interface StorageQuota {
  /** For one request that writes into a bucket of `ownerId`. */
  open(caller: Account, ownerId: string): StorageAdmission
}

export interface StorageAdmission {
  isLimited(): Promise<boolean>
  /** Before so many bytes are stored. `XMinioAdminBucketQuotaExceeded` when they are more than the quota leaves. */
  admit(sizeBytes: number): Promise<void>
  /** Once the request is over: what it stored is counted by then. */
  release(): void
}

/**
 * What is admitted fits beside all that has been committed, on whatever worker, and beside what this worker is writing.
 * What other workers are writing at that moment is not known: so much, and no more, can a quota be passed by. An account
 * without a quota costs nothing here, and its own key and users no look-up of their account.
 */
export function createStorageQuota({ usageOf, accountOf }: StorageQuotaParts): StorageQuota {
  /** Bytes under way, by owner. */
  const underWay = new Map<string, number>()
  const add = (ownerId: string, bytes: number): number => {
    const sum = (underWay.get(ownerId) ?? 0) + bytes
    if (sum === 0) underWay.delete(ownerId)
    else underWay.set(ownerId, sum)
    return sum
  }
  return {
    open(caller, ownerId) {
      let held = 0
      const limitOf = async (): Promise<number | undefined> => (caller.id === ownerId ? caller : await accountOf(ownerId))?.quotas?.bytes
      return {
        isLimited: async () => (await limitOf()) !== undefined,
        async admit(sizeBytes) {
          const limit = await limitOf()
          if (limit === undefined) return
          held += sizeBytes
          add(ownerId, sizeBytes)
          const { bytes } = await usageOf(ownerId)
          if (bytes + (underWay.get(ownerId) ?? 0) <= limit) return
          held -= sizeBytes
          add(ownerId, -sizeBytes)
          throw new S3Error('XMinioAdminBucketQuotaExceeded')
        },
        release() {
          if (held !== 0) add(ownerId, -held)
          held = 0
        },
      }
    },
  }
}

/** The same bytes, the first of which are asked for once all of them are admitted; where their number is unknown, each piece as it comes. */
export function admitted(source: AsyncIterable<Uint8Array>, declaredBytes: number | undefined, storage: StorageAdmission): AsyncIterable<Uint8Array> {
  if (declaredBytes === undefined) return admittedByPiece(source, storage)
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      let asked: Promise<void> | undefined
      return {
        next: () => {
          if (asked !== undefined) return iterator.next()
          asked = storage.admit(declaredBytes)
          return asked.then(() => iterator.next())
        },
        return: async (value) => (await iterator.return?.(value)) ?? { done: true, value: undefined },
      }
    },
  }
}

async function* admittedByPiece(source: AsyncIterable<Uint8Array>, storage: StorageAdmission): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    await storage.admit(piece.length)
    yield piece
  }
}
