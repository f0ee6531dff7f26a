import { sign, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dayMs, hourMs, minuteMs } from '../../base/units.ts'
import { openScratchEngine, type ScratchEngine } from './scratch-engine.ts'
import { openTokenKeys, tokenKeyAheadMs, tokenKeyRotationMs, type TokenKeys } from './token-keys.ts'

let world: ScratchEngine
const open = (): TokenKeys => openTokenKeys({ ...world, serverKey: Buffer.alloc(32, 3) })
const kids = async (keys: TokenKeys): Promise<readonly string[]> => (await keys.published()).map(({ kid }) => kid)

beforeAll(async () => {
  world = await openScratchEngine()
})
afterAll(() => world.remove())

describe('token keys', () => {
  it('are the same in every process, and their public halves are published and nothing else of them', async () => {
    const workers = [open(), open(), open()]
    const [first, ...others] = await Promise.all(workers.map(keys => keys.current()))
    expect(others.map(({ kid }) => kid)).toEqual([first?.kid, first?.kid])
    const [published, ...more] = await open().published()
    expect(more).toEqual([])
    expect(Object.keys(published ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(published).toMatchObject({ kid: first?.kid, alg: 'ES256', use: 'sig', kty: 'EC', crv: 'P-256' })
    const key = await open().publicKeyOf(first?.kid ?? '')
    const signature = first && sign('sha256', Buffer.from('text'), first.privateKey)
    expect(key && signature && verify('sha256', Buffer.from('text'), key, signature)).toBe(true)
  })

  it('are found by their whole id, and by no other text', async () => {
    const { kid } = await open().current()
    for (const text of ['', '1', '1-', `${kid}x`, kid.slice(0, -1), kid.toUpperCase(), `0${kid}`, `../${kid}`, '99999999-x', '00000001', 'identity/token-key/00000001', `${kid}\0`, '__proto__']) {
      expect([text, await open().publicKeyOf(text)]).toEqual([text, undefined])
    }
  })

  it('bind a token to its access key and the secret of that', () => {
    const keys = open()
    expect(open().bindingOf('ADA', 'secret')).toBe(keys.bindingOf('ADA', 'secret'))
    const others = [keys.bindingOf('ADA', 'secret2'), keys.bindingOf('ADAs', 'ecret'), openTokenKeys({ ...world, serverKey: Buffer.alloc(32, 4) }).bindingOf('ADA', 'secret')]
    expect(others).not.toContain(keys.bindingOf('ADA', 'secret'))
  })

  it('rotate: the next is published a day before it signs, the last as long as a token of it can live', async () => {
    const { clock } = world
    const [worker, job] = [open(), open()]
    const { kid: first } = await worker.current()
    await job.rotate()
    expect(await kids(open())).toEqual([first])
    clock.advance(tokenKeyRotationMs)
    await Promise.all([job.rotate(), open().rotate()])
    clock.advance(minuteMs)
    const [, second = ''] = await kids(worker)
    expect(await kids(worker)).toEqual([first, second])
    expect((await worker.current()).kid).toBe(first)
    clock.advance(tokenKeyAheadMs)
    expect((await worker.current()).kid).toBe(second)
    clock.advance(7 * dayMs)
    await job.rotate()
    expect(await open().publicKeyOf(first)).toBeDefined()
    clock.advance(dayMs + hourMs)
    await job.rotate()
    expect(await kids(open())).toEqual([second])
    expect(await open().publicKeyOf(first)).toBeUndefined()
    expect((await open().current()).kid).toBe(second)
  })

  it('that another worker has just made are found at once', async () => {
    const { clock } = world
    const worker = open()
    await worker.current()
    clock.advance(tokenKeyRotationMs - minuteMs)
    await worker.published()
    clock.advance(minuteMs / 2)
    await open().rotate()
    clock.advance(minuteMs / 4)
    const newest = (await kids(open())).at(-1) ?? ''
    expect(await worker.publicKeyOf(newest)).toBeDefined()
  })
})
