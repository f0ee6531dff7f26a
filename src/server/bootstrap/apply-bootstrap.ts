import { EngineError, type Engine } from '../../../engine/index.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import type { IdentityStore } from '../../identity/identity-store.ts'
import type { Account } from '../../identity/caller.ts'
import { rootAccountName } from '../../identity/identity-records.ts'
import { BootstrapError, type BootstrapAccount, type BootstrapBucket, type BootstrapDocument, type BootstrapWarehouse } from './bootstrap-document.ts'

/** What the short forms declare beside the document. */
export interface ShortForms {
  readonly buckets: readonly string[]
  readonly warehouses: readonly string[]
}

/** Creates a warehouse, or checks that it is there as declared; throws `BootstrapError` when it is another. */
export type EnsureWarehouse = (warehouse: { readonly name: string; readonly bucket: string; readonly prefix?: string; readonly ownerAccountId: string }) => Promise<void>

export interface BootstrapTargets {
  readonly engine: Pick<Engine, 'createBucket' | 'headBucket' | 'setVersioning'>
  readonly identity: IdentityStore
  readonly ensureWarehouse: EnsureWarehouse
  /** Reported for new buckets. */
  readonly region: string
}

/** What shall exist, each with the place that declared it, for messages. */
export interface BootstrapPlan {
  readonly accounts: readonly Placed<BootstrapAccount>[]
  readonly buckets: readonly Placed<BootstrapBucket>[]
  readonly warehouses: readonly Placed<BootstrapWarehouse>[]
}

type Placed<T> = T & { readonly place: string }

const defaultWarehouse = 'lake'

/**
 * Everything that is declared: by the document, by the short forms, or (when nothing is) the default
 * warehouse. A warehouse's bucket is declared with it.
 */
export function planBootstrap(document: BootstrapDocument | undefined, short: ShortForms): BootstrapPlan {
  const accounts = placed(document?.accounts ?? [], '/accounts')
  const buckets = placed(document?.buckets ?? [], '/buckets')
  const warehouses = placed(document?.warehouses ?? [], '/warehouses')
  const isEmpty = accounts.length + buckets.length + warehouses.length + short.buckets.length + short.warehouses.length === 0
  for (const name of isEmpty ? [defaultWarehouse] : short.warehouses) {
    if (!warehouses.some(warehouse => warehouse.name === name)) warehouses.push({ name, bucket: name, place: 'MORAINE_WAREHOUSES' })
  }
  for (const name of short.buckets) {
    if (!buckets.some(bucket => bucket.name === name)) buckets.push({ name, place: 'MORAINE_BUCKETS' })
  }
  for (const { bucket: name, account, place } of warehouses) {
    if (!buckets.some(bucket => bucket.name === name)) buckets.push({ name, place, ...(account === undefined ? {} : { account }) })
  }
  return { accounts, buckets, warehouses }
}

function placed<T>(items: readonly T[], pointer: string): Placed<T>[] {
  return items.map((item, index) => ({ ...item, place: `${pointer}/${index}` }))
}

/** Idempotent: what is there stays, what differs is brought up to date where that loses nothing, else `BootstrapError`. */
export async function applyBootstrap(plan: BootstrapPlan, { engine, identity, ensureWarehouse, region }: BootstrapTargets): Promise<void> {
  for (const { accessKeys, place, ...declaration } of plan.accounts) {
    await at(place, () => identity.ensureAccount(declaration))
    for (const [keyIndex, { accessKeyId, secretAccessKey }] of accessKeys.entries()) {
      await at(`${place}/accessKeys/${keyIndex}/accessKeyId`, () => identity.ensureAccessKey(declaration.name, accessKeyId, secretAccessKey))
    }
  }
  const root = await identity.ensureRoot()
  const ownerOf = async (name: string | undefined, place: string): Promise<Account> => {
    if (name === undefined || name === rootAccountName) return root
    const account = await identity.getAccount(name)
    if (account === undefined) throw new BootstrapError(`${place}: there is no account ${name}`)
    return account
  }
  for (const bucket of plan.buckets) {
    const owner = await ownerOf(bucket.account, `${bucket.place}/account`)
    await at(bucket.place, () => ensureBucket(engine, bucket, owner, region))
  }
  for (const { name, bucket, prefix, account, place } of plan.warehouses) {
    const owner = account === undefined ? await identity.getAccountById((await engine.headBucket(bucket)).ownerId) : await ownerOf(account, `${place}/account`)
    const { accountId: ownerAccountId } = owner ?? root
    await at(place, () => ensureWarehouse({ name, bucket, ownerAccountId, ...(prefix === undefined ? {} : { prefix }) }))
  }
}

async function ensureBucket(engine: BootstrapTargets['engine'], { name, account, versioning }: BootstrapBucket, owner: Account, region: string): Promise<void> {
  try {
    await engine.createBucket({ bucket: name, ownerId: owner.id, region, ...(versioning === undefined ? {} : { versioning }) })
    return
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'BucketAlreadyExists') throw error
  }
  const stored = await engine.headBucket(name)
  if (account !== undefined && stored.ownerId !== owner.id) throw new BootstrapError(`the bucket ${name} exists and belongs to another account`)
  if (versioning !== undefined && stored.versioning !== versioning) await engine.setVersioning(name, versioning)
}

/** Says where in the document a refusal came from. */
async function at<T>(place: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof IdentityError) throw new BootstrapError(`${placeOf(error, place)}: ${error.message}`)
    if (error instanceof BootstrapError) throw new BootstrapError(`${place}: ${error.message}`)
    throw error
  }
}

function placeOf({ code }: IdentityError, place: string): string {
  switch (code) {
    case 'IdTaken':
    case 'IdChanged':
      return `${place}/id`
    case 'AccountIdTaken':
    case 'AccountIdChanged':
      return `${place}/accountId`
    case 'AccessKeyTaken':
    case 'NoSuchAccount':
    case 'NoSuchUser':
    case 'NoSuchKey':
    case 'TooManyKeys':
      return place
  }
}
