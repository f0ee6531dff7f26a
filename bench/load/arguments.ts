/** The command line of `bench/run.ts`. */
import { parseArgs } from 'node:util'
import { operations, type Operation, type Target } from './plan.ts'

export interface Arguments {
  readonly targets: readonly Target[]
  readonly operations: readonly Operation[]
  readonly sizes: readonly number[]
  readonly concurrency: readonly number[]
  readonly durationMs: number
  readonly warmUpMs: number
  readonly rounds: number
  readonly payload: 'signed' | 'unsigned'
  readonly preloaded: number | undefined
  readonly ceiling: boolean
}

export const help = `usage: npm run bench -- [options]
  --target NAME=URL,KEY,SECRET   an endpoint to measure; repeatable, measured in turn; ratios are to the first.
                                 None: a Moraine of two workers is started on a temporary drive.
  --moraine                      start that Moraine too, as the last target
  --operations PUT,GET,…         of ${operations.join(', ')} (default: all but MULTIPART,
                                 whose parts have the size, 5 MiB at least)
  --sizes 4KiB,10MiB             object sizes (default: 4KiB)
  --concurrency 32               clients at once; several separated by commas (default: 32)
  --seconds 5  --warm-up 1  --rounds 3
  --payload signed|unsigned      bodies signed by their SHA-256, or UNSIGNED-PAYLOAD (default: signed)
  --objects N                    objects that reads choose from and deletes remove (default: 2,000; 16 of 1 MiB and more)
  --ceiling                      measure the generator itself against a server that does nothing`

export class UsageError extends Error {}

export function parseArguments(args: readonly string[]): Arguments & { moraine: boolean; help: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', multiple: true, default: [] },
      moraine: { type: 'boolean', default: false },
      operations: { type: 'string', default: operations.filter(name => name !== 'MULTIPART').join() },
      sizes: { type: 'string', default: '4KiB' },
      concurrency: { type: 'string', default: '32' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      payload: { type: 'string', default: 'signed' },
      objects: { type: 'string' },
      ceiling: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.payload !== 'signed' && values.payload !== 'unsigned') throw new UsageError('--payload is signed or unsigned')
  return {
    targets: values.target.map(parseTarget),
    operations: values.operations.split(',').map(parseOperation),
    sizes: values.sizes.split(',').map(parseSize),
    concurrency: values.concurrency.split(',').map(text => positive('--concurrency', text)),
    durationMs: positive('--seconds', values.seconds) * 1000,
    warmUpMs: positive('--warm-up', values['warm-up']) * 1000,
    rounds: positive('--rounds', values.rounds),
    payload: values.payload,
    preloaded: values.objects === undefined ? undefined : positive('--objects', values.objects),
    ceiling: values.ceiling,
    moraine: values.moraine,
    help: values.help,
  }
}

function parseTarget(text: string): Target {
  const [, name, url, accessKeyId, secretAccessKey] = /^([^=]+)=(https?:\/\/[^,]+),([^,]+),(.+)$/.exec(text) ?? []
  if (name === undefined || url === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new UsageError(`--target ${text} is not NAME=URL,KEY,SECRET`)
  }
  return { name, url, accessKeyId, secretAccessKey }
}

function parseOperation(text: string): Operation {
  const found = operations.find(operation => operation === text.toUpperCase())
  if (found === undefined) throw new UsageError(`${text} is none of ${operations.join(', ')}`)
  return found
}

export function parseSize(text: string): number {
  const [, number, unit = ''] = /^(\d+)(|KiB|MiB|GiB)$/.exec(text) ?? []
  if (number === undefined) throw new UsageError(`${text} is no size such as 4KiB`)
  return Number(number) * 1024 ** ['', 'KiB', 'MiB', 'GiB'].indexOf(unit)
}

export function formatSize(bytes: number): string {
  for (const [power, unit] of [[3, 'GiB'], [2, 'MiB'], [1, 'KiB']] as const) {
    if (bytes >= 1024 ** power && bytes % 1024 ** power === 0) return `${bytes / 1024 ** power} ${unit}`
  }
  return `${bytes} B`
}

function positive(name: string, text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new UsageError(`${name} ${text} is not a positive number`)
  return number
}
