/** What a process and its children have used so far, from Linux's `/proc`; 0 elsewhere, or where the process is not known. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100

export function cpuSeconds(pid: number | undefined): number {
  // The fields after the command, which may hold anything but is in parentheses: utime and stime are the 12th and 13th.
  return total(pid, 'stat', (stat) => {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  })
}

export function writtenBytes(pid: number | undefined): number {
  return total(pid, 'io', (io) => Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0))
}

export function residentBytes(pid: number | undefined): number {
  return total(pid, 'status', (status) => Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024)
}

function total(pid: number | undefined, file: string, valueOf: (text: string) => number): number {
  if (pid === undefined || !existsSync('/proc/self/stat')) return 0
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && (Number(name) === pid || parentOf(name) === pid))
  return pids.reduce((sum, each) => sum + valueOf(read(each, file)), 0)
}

function parentOf(pid: string): number | undefined {
  return Number(/^PPid:\s+(\d+)/m.exec(read(pid, 'status'))?.[1])
}

/** Empty for a process that has just ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
