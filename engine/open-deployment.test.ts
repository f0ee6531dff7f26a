import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../base/system.ts'
import { fsckDrives } from './fsck/fsck.ts'
import { SetGrowth } from './growth/set-growth.ts'
import { owner, put, textOf } from './objects/test-engine.ts'
import { openDeployment, prepareDeployment } from './open-deployment.ts'
import { openEngine } from './open-engine.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-deployment-'))
afterAll(() => rmSync(root, { recursive: true, maxRetries: 3 }), 60_000)
const machine = { clock: systemClock, random: systemRandom }
const bucket = 'bucket'
const textFor = (key: string): string => `${key} `.repeat(40_000)
const pathsOf = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => join(root, `${name}${index + 1}`))

/** A server's life on these drives, without the server. */
async function life<T>(drives: readonly string[], live: (parts: Awaited<ReturnType<typeof open>>) => Promise<T>): Promise<{ readonly notes: readonly string[]; readonly result: T }> {
  const prepared = await prepareDeployment({ drives, ...machine })
  try {
    const parts = await open(drives)
    try {
      return { notes: prepared.notes, result: await live(parts) }
    } finally {
      await parts.deployment.close()
    }
  } finally {
    prepared.release()
  }
}

async function open(drives: readonly string[]) {
  const deployment = await openDeployment({ drives, ...machine })
  const { metadata, blobs, copier, keeper } = deployment
  const engine = openEngine({ metadata, blobs, ...machine })
  const growth = copier === undefined ? undefined : new SetGrowth({ metadata, blobs, copier, keeper, ...machine })
  return { deployment, engine, keeper, growth }
}

async function drain({ growth }: Awaited<ReturnType<typeof open>>, set: number): Promise<void> {
  if (growth === undefined) throw new Error('there are sets')
  expect(await growth.beginDrain(set)).toBe('begun')
  await growth.states()
  // What was begun before had its time.
  const sinceMs = Date.now() - 60_000
  expect(await growth.drain(set, sinceMs, undefined, { bytesPerSecond: Infinity, onProgress: async () => {}, signal: new AbortController().signal })).toMatchObject({ isEmpty: true })
}

it.each([['one drive', 1], ['a set of drives', 3]])('%s gives way to another set, with its blobs and the metadata', async (name, count) => {
  const [old, added] = [pathsOf(`${name[0]}-old`, count), pathsOf(`${name[0]}-new`, 4)]
  const keys = ['a', 'b', 'c']
  await life(old, async ({ engine }) => {
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    for (const key of keys) await put(engine, key, textFor(key))
  })
  const grown = await life([...old, ...added], async (parts) => {
    for (const key of keys) expect(await textOf(parts.engine, key)).toBe(textFor(key))
    await put(parts.engine, 'd', textFor('d'))
    await drain(parts, 0)
    expect(parts.keeper.setStatuses().map(({ state, hasMetadata }) => [state, hasMetadata])).toEqual([['draining', true], ['active', false]])
  })
  expect(grown.notes).toEqual([`4 empty drives are added as set 2: ${added.join(' ')}`])
  await expect(prepareDeployment({ drives: added, ...machine })).rejects.toMatchObject({ code: 'Incomplete', message: expect.stringContaining('the metadata are on drives that are not given: set 1') as string })

  const moved = await life([...old, ...added], async ({ engine, keeper }) => {
    expect(keeper.setStatuses().map(({ hasMetadata }) => hasMetadata)).toEqual([false, true])
    await put(engine, 'e', textFor('e'))
  })
  expect(moved.notes).toEqual(['the metadata were moved from set 1 to set 2'])
  const after = await life(added, async ({ engine, keeper }) => {
    for (const path of old) rmSync(path, { recursive: true })
    for (const key of [...keys, 'd', 'e']) expect(await textOf(engine, key)).toBe(textFor(key))
    await put(engine, 'f', textFor('f'))
    expect(keeper.setStatuses().map(({ state }) => state)).toEqual(['givenUp', 'active'])
  })
  expect(after.notes).toEqual([])
  expect(await fsckDrives({ drives: added, ...machine, readBytes: true })).toMatchObject({ verdict: 'clean' })
  expect(old.some((path) => existsSync(path))).toBe(false)
}, 60_000)

it.each([1, 3])('a move of the metadata that was told to %i of 4 drives is made again, or was made: nothing is lost', async (told) => {
  const [old, added] = [pathsOf(`m${told}-old`, 3), pathsOf(`m${told}-new`, 4)]
  await life(old, async ({ engine }) => {
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    await put(engine, 'a', 'small')
  })
  await life([...old, ...added], (parts) => drain(parts, 0))
  // The next drive cannot be told.
  const obstacle = join(added[told] ?? '', 'metadata', 'epoch.json.new')
  mkdirSync(obstacle, { recursive: true })
  await expect(prepareDeployment({ drives: [...old, ...added], ...machine })).rejects.toMatchObject({ name: 'DriveError' })
  rmSync(obstacle, { recursive: true })
  const { notes } = await life([...old, ...added], async ({ engine, keeper }) => {
    expect(await textOf(engine, 'a')).toBe('small')
    expect(keeper.setStatuses().map(({ hasMetadata }) => hasMetadata)).toEqual([false, true])
    await put(engine, 'b', 'more')
  })
  expect(notes).toEqual(told === 1 ? ['the metadata were moved from set 1 to set 2'] : [])
  await life(added, async ({ engine }) => {
    expect([await textOf(engine, 'a'), await textOf(engine, 'b')]).toEqual(['small', 'more'])
  })
}, 60_000)

it('a set is not left out while anything is stored on it, and foreign directories are not taken for a new one', async () => {
  const [old, added] = [pathsOf('k-old', 3), pathsOf('k-new', 2)]
  await life(old, async ({ engine }) => engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' }))
  mkdirSync(added[1] ?? '')
  writeFileSync(join(added[1] ?? '', 'thesis.docx'), 'years of work')
  await expect(prepareDeployment({ drives: [...old, ...added], ...machine })).rejects.toMatchObject({ message: expect.stringContaining('thesis.docx') as string })
  rmSync(join(added[1] ?? '', 'thesis.docx'))
  await life([...old, ...added], async ({ engine, keeper }) => {
    keeper.intake.avoid([0])
    await put(engine, 'a', textFor('a'))
  })
  await expect(prepareDeployment({ drives: old, ...machine })).rejects.toMatchObject({ message: expect.stringContaining('1 blobs are stored on set 2') as string })
  await expect(fsckDrives({ drives: old, ...machine })).rejects.toMatchObject({ code: 'Incomplete' })
  await life([...old, ...added], async ({ engine }) => engine.deleteObject({ bucket, key: 'a', ownerId: owner }))
  await expect(prepareDeployment({ drives: old, ...machine })).rejects.toMatchObject({ message: expect.stringContaining('give it up by "moraine decommission 2"') as string })
}, 60_000)
