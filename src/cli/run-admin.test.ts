import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { systemClock } from '../../base/system.ts'
import { runHeal } from './run-admin.ts'

const root = { user: 'root', password: 'a secret' }
const walk = { kind: 'missing', state: 'done', updatedAtMs: 3000, progress: { done: 256, checkedBlobs: 1, healedBlobs: 1, waitingBlobs: 0, hopelessBlobs: 0, movedBytes: 0, directories: 256 } }

it('waits for the walk that it asked for, or for one that began after it asked', async () => {
  const walks = [
    undefined,
    { ...walk, id: 'before', startedAtMs: 999 },
    { ...walk, id: 'of a drive that came back', startedAtMs: 1001 },
  ]
  const server = createServer((request, response) => {
    response.end(JSON.stringify(request.method === 'POST' ? { id: 'asked', requestedAtMs: 1000 } : { heal: walks.shift() }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const written: string[] = []
  try {
    const code = await runHeal({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', root, clock: systemClock }, { wait: true, json: true }, { write: text => written.push(text), isTerminal: false })
    expect(code).toBe(0)
  } finally {
    server.closeAllConnections()
    server.close()
  }
  expect(written.map(text => (JSON.parse(text) as { readonly id: string }).id)).toEqual(['of a drive that came back'])
})
