/** Damage in a copy of the metadata that ends, by a signal, whatever process reads it: found by the start of the whole server. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Deployment } from './deployment.ts'

const deployments: Deployment[] = []
afterEach(async ({ task }) => {
  // The server's last words.
  if (task.result?.state === 'fail') for (const deployment of deployments) console.log(deployment.server.logs())
  for (const deployment of deployments.splice(0)) {
    await deployment.killed()
    await deployment.remove()
  }
})

async function filled(count: number): Promise<Deployment> {
  const deployment = new Deployment(count)
  deployments.push(deployment)
  await deployment.startNew()
  for (let index = 0; index < 40; index++) await deployment.put(`${index % 4}/${index}`, index % 5 === 0 ? 200_000 : 500)
  return deployment
}

const pageBytes = 4096
const pageHeaderBytes = 24
/** See `MDB_page` and `MDB_node` in LMDB's `mdb.c`. */
const [flagsAt, rowsEndAt, leafFlag] = [18, 20, 2]

/** Values reach far behind the end of the file: `all`, or those of rows only that are read once the index is open. */
function damage(deployment: Deployment, number: number, which: 'all' | 'rows'): void {
  const path = join(deployment.drive(number), 'metadata', 'data.mdb')
  const index = readFileSync(path)
  let damaged = 0
  for (let page = 2 * pageBytes; page < index.length; page += pageBytes) {
    if (index.readUInt16LE(page + flagsAt) !== leafFlag) continue
    for (let row = 0; row < index.readUInt16LE(page + rowsEndAt) / 2; row++) {
      const node = page + pageHeaderBytes + index.readUInt16LE(page + pageHeaderBytes + 2 * row)
      // The position is behind all rows; the free pages are listed by numbers of 8 bytes.
      const isRow = index.readUInt16LE(node + 6) !== 8 && index[node + 8] !== 0xff
      if (which === 'rows' && !isRow) continue
      index.writeUInt16LE(0x7fff, node + 2)
      damaged++
    }
  }
  expect(damaged).toBeGreaterThan(0)
  writeFileSync(path, index)
}

test.for(['all', 'rows'] as const)('a server starts from another copy where reading the first ends the process (%s), makes that anew, and loses nothing', { timeout: 120_000 }, async (which) => {
  const deployment = await filled(4)
  await deployment.stop()
  if (which === 'rows') {
    // What the journal has is not in the checkpoint that a start goes back to.
    await deployment.start()
    await deployment.put('journalled', 500)
    await deployment.killed()
  }
  damage(deployment, 1, which)
  await deployment.start()
  expect(deployment.server.logs()).toMatch(/the committer died while it started: SIG\w+: each copy of the metadata is tried by itself/)
  expect(deployment.server.logs().match(/a copy of the metadata is damaged, and is made anew from another: reading it ends the process: SIG\w+/g)).toHaveLength(1)
  await deployment.verify()
  await deployment.put('after', 500)
  await deployment.stop()
  const { code, out } = await deployment.command('fsck', deployment.words)
  expect(`${code} ${out}`).toMatch(/^0 /)
  await deployment.start()
  expect(deployment.server.logs()).not.toContain('tried by itself')
  await deployment.verify()
})

test.for([1, 2])('where every copy is damaged, on %i drives, a start says which and what to do, and removes nothing', { timeout: 120_000 }, async (drives) => {
  const deployment = await filled(drives)
  await deployment.stop()
  const folders = Array.from({ length: drives }, (_, drive) => join(deployment.drive(drive + 1), 'metadata'))
  for (const [at, folder] of folders.entries()) cpSync(folder, join(deployment.root, `backup${at}`), { recursive: true })
  for (let number = 1; number <= drives; number++) damage(deployment, number, 'rows')
  const { code, out } = await deployment.command('server', '--quiet', '--address', '127.0.0.1:0', deployment.words)
  expect(code).toBe(1)
  for (const folder of folders) {
    expect(out).toContain(`the copy of the metadata in ${folder} is damaged: reading it ends the process: SIG`)
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['data.mdb', 'journal', 'epoch.json']))
  }
  expect(out).toContain(drives === 1 ? 'it is the only copy, and nothing was removed from it' : 'no other copy can be read, and nothing was removed')
  for (const [at, folder] of folders.entries()) {
    rmSync(folder, { recursive: true })
    cpSync(join(deployment.root, `backup${at}`), folder, { recursive: true })
  }
  await deployment.start()
  await deployment.verify()
})
