import type { DrivesStatus, WalkProgress } from '../../engine/index.ts'
import { GiB, MiB } from '../../base/units.ts'
import { type MovesReport, movesText } from './moves-text.ts'

/** A walk over all blobs as the server tells it. */
export interface WalkReport {
  readonly id: string
  readonly state: 'running' | 'done'
  readonly startedAtMs: number
  readonly progress?: WalkProgress
}

/** A walk over all copies of the metadata. */
export interface CopiesReport {
  readonly state: 'running' | 'done'
  readonly directories: readonly string[]
  readonly copy: number
  readonly rows: number
  readonly damaged: readonly string[]
}

export interface DrivesReport extends DrivesStatus {
  readonly heal?: WalkReport
  readonly scrub?: WalkReport
  readonly metadata?: CopiesReport
  readonly moves?: MovesReport
}

/** `moraine status` for people. */
export function statusText({ sets, drives, rawBytes, rawFreeBytes, usableBytes, usableFreeBytes, heal, scrub, metadata, moves }: DrivesReport): string {
  const width = Math.max(...drives.map(({ path }) => path.length))
  const lines = sets.flatMap((set, index) => {
    if (set.state === 'givenUp') return [`Set ${index + 1}: given up`]
    const verdict = set.canWrite ? (set.online < set.drives ? 'degraded' : 'healthy') : set.canRead ? 'READ ONLY' : 'DOWN'
    const head = `Set ${index + 1}: ${verdict}, ${set.online} of ${set.drives} drives, ${set.parity} of parity, a write needs ${set.writeQuorum}${set.state === 'draining' ? '; nothing new is written to it' : ''}${set.hasMetadata && sets.length > 1 ? '; it has the metadata' : ''}`
    const own = drives.filter(drive => drive.set === index)
    return [head, ...own.map(drive => `  ${drive.path.padEnd(width)}  ${drive.state.padEnd(8)} ${spaceOf(drive)}${drive.explanation === undefined ? '' : `  ${drive.explanation}`}`.trimEnd())]
  })
  return [
    ...lines,
    `Capacity: ${size(usableBytes)} for data (${size(usableFreeBytes)} free) of ${size(rawBytes)} (${size(rawFreeBytes)} free)`,
    `Heal: ${walkText(heal)}`,
    `Scrub: ${walkText(scrub)}`,
    ...(metadata === undefined ? [] : [`Metadata: ${copiesText(metadata)}`]),
    moves === undefined ? '' : movesText(moves),
  ].join('\n')
}

export function walkText(walk: WalkReport | undefined): string {
  if (walk?.progress === undefined) return walk?.state === 'running' ? 'begun' : 'none yet'
  const { done, directories, checkedBlobs, healedBlobs, waitingBlobs, hopelessBlobs } = walk.progress
  const counts = `${checkedBlobs.toLocaleString('en')} blobs compared, ${healedBlobs.toLocaleString('en')} healed, ${waitingBlobs.toLocaleString('en')} waiting for a drive, ${hopelessBlobs.toLocaleString('en')} incomplete`
  return `${walk.state === 'done' ? 'done' : `${Math.floor((100 * done) / directories)} %`}, ${counts}`
}

function copiesText({ state, directories, copy, rows, damaged }: CopiesReport): string {
  if (state === 'done' && copy === 0) return 'none yet'
  const outcome = damaged.length === 0 ? 'none damaged' : `damaged: ${damaged.join(' ')}`
  return `${state === 'done' ? 'done' : 'running'}, ${copy} of ${directories.length} copies proven, ${rows.toLocaleString('en')} rows, ${outcome}`
}

const barChars = 30

/** One line of progress for a terminal. */
export function progressBar({ done, directories }: Pick<WalkProgress, 'done' | 'directories'>): string {
  const filled = Math.floor((barChars * done) / directories)
  return `[${'#'.repeat(filled)}${'-'.repeat(barChars - filled)}] ${Math.floor((100 * done) / directories)} %`
}

function spaceOf({ totalBytes, freeBytes }: DrivesStatus['drives'][number]): string {
  return totalBytes === undefined || freeBytes === undefined ? '' : `${size(freeBytes)} free of ${size(totalBytes)}`
}

function size(bytes: number): string {
  return bytes >= GiB ? `${(bytes / GiB).toFixed(1)} GiB` : `${Math.floor(bytes / MiB)} MiB`
}
