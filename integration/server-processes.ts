/** The processes of a started server, from the system's table. */
import { readdirSync, readFileSync } from 'node:fs'
import type { StartedServer } from './start-server.ts'

type Started = Pick<StartedServer, 'pid'>

export const workersOf = (server: Started): number[] => childrenOf(server).filter(id => !isCommitter(id))
export const committerOf = (server: Started): number | undefined => childrenOf(server).find(isCommitter)

/** The processes of the server's group, its primary not among them, from the system's table. */
export function childrenOf({ pid }: Started): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(id => id !== pid && groupOf(id) === pid)
}

export function groupOf(id: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return fields[0] === 'Z' ? undefined : Number(fields[2])
  } catch {
    return undefined
  }
}

function isCommitter(id: number): boolean {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('serve-commits')
  } catch {
    return false
  }
}
