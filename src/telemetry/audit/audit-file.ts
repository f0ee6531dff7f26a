import { close, fstat, open, stat, write } from 'node:fs'
import { promisify } from 'node:util'
import type { Clock } from '../../../base/clock.ts'
import { MiB, secondMs } from '../../../base/units.ts'
import type { AuditTarget } from './audit-target.ts'

const openFile = promisify(open)
const closeFile = promisify(close)
const statOpen = promisify(fstat)
const statPath = promisify(stat)

/** Records in memory that wait for the file; beyond that requests wait. */
const waitingBytes = 4 * MiB
/** How long a request waits for room before it is refused. */
const admissionTimeoutMs = 5 * secondMs
const retryMs = 250
/** How often it is looked whether the file was moved away (logrotate), to begin a new one. */
const rotationCheckMs = 5 * secondMs

export interface AuditFileOptions {
  /** Appended to, made when it is missing, with mode 0600; or a descriptor such as standard output. */
  readonly file: string | number
  readonly clock: Clock
  /** Told once when writing begins to fail, and not again before it has worked. */
  readonly onFault: (error: unknown) => void
}

/**
 * Appends every record, in order, and drops none: while the file takes nothing, records wait, and
 * once too many do, requests wait too, and are refused at last. Several processes may append to one file.
 */
export function openAuditFile({ file, clock, onFault }: AuditFileOptions): AuditTarget {
  let waiting: string[] = []
  let waitingSize = 0
  let writing: Promise<void> | undefined
  let closing = false
  let failing = false
  const destination = createDestination(file, clock)

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting
      waiting = []
      let rest = Buffer.from(`${lines.join('\n')}\n`)
      while (rest.length > 0) {
        try {
          rest = rest.subarray(await destination.append(rest))
          failing = false
        } catch (error) {
          if (!failing) onFault(error)
          failing = true
          if (closing) return
          await clock.sleep(retryMs)
        }
      }
      for (const line of lines) waitingSize -= line.length
    }
    writing = undefined
  }

  async function roomInTime(): Promise<boolean> {
    const deadlineMs = clock.monotonicMs() + admissionTimeoutMs
    while (waitingSize >= waitingBytes) {
      if (clock.monotonicMs() >= deadlineMs) return false
      await clock.sleep(retryMs)
    }
    return true
  }

  return {
    write(record) {
      waiting.push(record)
      waitingSize += record.length
      writing ??= writeAll()
    },
    admit: () => (waitingSize < waitingBytes ? undefined : roomInTime()),
    async close() {
      closing = true
      await writing
      await destination.close()
    },
  }
}

interface Destination {
  /** How many of the bytes were appended. */
  append(bytes: Buffer): Promise<number>
  close(): Promise<void>
}

function createDestination(file: string | number, clock: Clock): Destination {
  if (typeof file === 'number') return { append: bytes => writeSome(file, bytes), close: async () => {} }
  let descriptor: number | undefined
  let checkedMs = clock.monotonicMs()
  const current = async (): Promise<number> => {
    if (descriptor !== undefined && clock.monotonicMs() - checkedMs >= rotationCheckMs) {
      checkedMs = clock.monotonicMs()
      if (!(await isAt(file, descriptor))) {
        await closeFile(descriptor)
        descriptor = undefined
      }
    }
    descriptor ??= await openFile(file, 'a', 0o600)
    return descriptor
  }
  return {
    append: async bytes => writeSome(await current(), bytes),
    close: async () => {
      if (descriptor !== undefined) await closeFile(descriptor)
    },
  }
}

async function isAt(path: string, descriptor: number): Promise<boolean> {
  const [opened, named] = await Promise.all([statOpen(descriptor), statPath(path).catch(() => undefined)])
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev
}

function writeSome(descriptor: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, 0, bytes.length, null, (error, written) => (error === null ? resolve(written) : reject(error)))
  })
}
