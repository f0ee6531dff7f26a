import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DriveFormatError } from './drive-format.ts'
import { lockDrive } from './drive-lock.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-lock-'))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})

/** A process that takes the lock, says so, and stays. */
async function holder(lockFile: string): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    import { lockDrive } from ${JSON.stringify(new URL('./drive-lock.ts', import.meta.url).href)}
    try {
      lockDrive(${JSON.stringify(lockFile)})
      console.log('locked')
      setInterval(() => {}, 1000)
    } catch (error) {
      console.log(error.code)
    }`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, said: said.toString().trim() }
}

test('a drive is locked against another process until the holder dies, killed or not', async () => {
  const lockFile = join(root, 'lock.sqlite')
  const first = await holder(lockFile)
  expect(first.said).toBe('locked')
  expect((await holder(lockFile)).said).toBe('Locked')
  expect(() => lockDrive(lockFile)).toThrow(DriveFormatError)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const lock = lockDrive(lockFile)
  expect((await holder(lockFile)).said).toBe('Locked')
  lock.release()
  const last = await holder(lockFile)
  expect(last.said).toBe('locked')
  last.child.kill()
})

test('a drive that has no lock to take is failing, not another server’s', () => {
  expect(() => lockDrive(join(root, 'missing', 'lock.sqlite'))).toThrow(expect.objectContaining({ code: 'Failing' }))
})
