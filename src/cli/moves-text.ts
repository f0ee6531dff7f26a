import type { MoveProgress } from '../../engine/index.ts'
import { GiB, MiB } from '../../base/units.ts'

/** A decommission as the server tells it. */
export interface DecommissionReport {
  readonly set: number
  readonly hasMetadata: boolean
  readonly state: 'draining' | 'verifying' | 'empty'
  readonly progress?: MoveProgress
}

export interface RebalanceReport {
  readonly id: string
  readonly state: 'running' | 'done' | 'cancelled'
  readonly progress?: MoveProgress
}

export interface MovesReport {
  readonly decommissions: readonly DecommissionReport[]
  readonly rebalance?: RebalanceReport
}

/** What is moved between sets, or was, for `moraine status`. */
export function movesText({ decommissions, rebalance }: MovesReport): string {
  return [
    ...decommissions.map(report => `Decommission of set ${report.set}: ${decommissionText(report)}\n`),
    ...(rebalance === undefined ? [] : [`Rebalance: ${rebalanceText(rebalance)}\n`]),
  ].join('')
}

export function decommissionText({ state, progress, hasMetadata }: DecommissionReport): string {
  const next = hasMetadata ? 'the metadata leave it at the next start with all drives, and its drives may be left out after that' : 'its drives may be left out at the next start'
  if (state === 'empty') return `done, ${counts(progress)}; ${next}`
  return progress === undefined ? 'begun' : `${percentOf(progress)} %, ${counts(progress)}`
}

export function rebalanceText({ state, progress }: RebalanceReport): string {
  if (progress === undefined) return state === 'running' ? 'begun' : state
  return `${state === 'running' ? `${percentOf(progress)} %` : state}, ${counts(progress)}`
}

function counts(progress: MoveProgress | undefined): string {
  if (progress === undefined) return 'nothing was there'
  const { movedBlobs, movedBytes, failedBlobs, lastFailure } = progress
  const failure = failedBlobs === 0 ? '' : `, ${failedBlobs.toLocaleString('en')} could not be moved yet (${lastFailure ?? ''})`
  return `${movedBlobs.toLocaleString('en')} blobs, ${size(movedBytes)} moved${failure}`
}

/** Of the bytes. What comes while it runs is moved too, so it stays below 100 until the end. */
export function percentOf({ movedBytes, totalBytes }: MoveProgress): number {
  return totalBytes === 0 ? 0 : Math.min(99, Math.floor((100 * movedBytes) / totalBytes))
}

function size(bytes: number): string {
  return bytes >= GiB ? `${(bytes / GiB).toFixed(1)} GiB` : `${Math.floor(bytes / MiB)} MiB`
}
