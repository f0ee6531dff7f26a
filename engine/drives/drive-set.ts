import type { Redundancy } from '../blobs/blob-store.ts'
import type { SetMember } from './set-member.ts'

/** Drives that share their blobs: each holds one shard of every blob of the set. */
export interface DriveSet {
  /** Among the sets of the deployment, from 0. */
  readonly index: number
  /** By position. */
  readonly members: readonly SetMember[]
  readonly parity: Readonly<Record<Redundancy, number>>
}

export function parityOf({ parity }: DriveSet, redundancy: Redundancy): number {
  return parity[redundancy]
}

/**
 * How many drives must hold a write before it is acknowledged: enough to read it from, and where data and parity are equally
 * many one more, so that two halves of a set that cannot see each other do not both go on.
 */
export function writeQuorum(dataShards: number, parityShards: number): number {
  return dataShards === parityShards ? dataShards + 1 : dataShards
}

/** How many drives of a set must be seen to have met every write quorum. */
export function readQuorum(drives: number, parityShards: number): number {
  return drives - writeQuorum(drives - parityShards, parityShards) + 1
}
