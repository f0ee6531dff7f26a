import { pino, type Logger } from 'pino'
import { default as pretty } from 'pino-pretty'
import { KiB, MiB } from '../../base/units.ts'

export type { Logger }

export interface LoggerOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  /** Readable lines, for a terminal; JSON lines otherwise. */
  readonly readable: boolean
  /** File descriptor or path that the lines go to. */
  readonly destination: number | string
}

const bufferBytes = 32 * KiB
const writeBytes = 64 * KiB
/** When the destination takes nothing for so long that more waits, lines are dropped rather than memory filled. */
const waitingBytes = 16 * MiB
const flushIntervalMs = 200

/**
 * The process's logger. Lines are gathered and written together, so that a request's line costs no
 * system call of its own; `flushLogger` writes what is left, and a fault's line goes out at once.
 */
export function createLogger({ level, readable, destination }: LoggerOptions): { readonly logger: Logger; readonly flush: () => void } {
  if (readable) {
    const stream = pretty({
      destination,
      sync: true,
      colorize: true,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: `pid,hostname,${requestFields.join(',')}`,
      singleLine: true,
      messageFormat: readableMessage,
    })
    return { logger: pino({ level, base: null }, stream), flush: () => {} }
  }
  const stream = pino.destination({ dest: destination, sync: false, minLength: bufferBytes, maxWrite: writeBytes, maxLength: waitingBytes, periodicFlush: flushIntervalMs })
  const flush = () => {
    try {
      stream.flushSync()
    } catch {
      // The destination was never opened, or is gone: there is nowhere to say so.
    }
  }
  const logger = pino({ level, base: { pid: process.pid }, formatters: { level: label => ({ level: label }) }, timestamp: pino.stdTimeFunctions.isoTime }, stream)
  return { logger, flush }
}

const requestFields = ['requestId', 'method', 'path', 'status', 'aborted', 'bytesIn', 'bytesOut', 'durationMs', 'remote', 'operation', 'accessKeyId', 'errorCode']

/** `PUT /lake/a.parquet 200 PutObject 3.1 ms, 4096 in, 0 out, AKID, 0123456789ABCDEF`. */
function readableMessage(line: Record<string, unknown>, messageKey: string): string {
  const shown = (key: string) => {
    const value = line[key]
    return typeof value === 'string' ? value : value === undefined ? undefined : JSON.stringify(value)
  }
  if (line['requestId'] === undefined) return shown(messageKey) ?? ''
  const head = [shown('method'), shown('path'), shown('status') ?? 'aborted', shown('errorCode') ?? shown('operation')]
  const tail = [`${shown('durationMs')} ms`, `${shown('bytesIn')} in`, `${shown('bytesOut')} out`, shown('accessKeyId'), shown('requestId')]
  return `${head.filter(part => part !== undefined).join(' ')} ${tail.filter(part => part !== undefined).join(', ')}`
}
