import type { MemberEpoch } from '../drives/member-epoch.ts'

/** Where a member's own journal ends. */
export interface JournalEnd {
  readonly epoch: number
  readonly seq: number
  readonly checksum: bigint
}

/** What a start finds on one drive of the set. */
export interface SeenDrive {
  readonly id: string
  /** The newest epoch that it was told of; absent on a drive that is new or was replaced. */
  readonly epoch: MemberEpoch | undefined
  /** Absent when it holds no metadata, or none that can be read. */
  readonly end: JournalEnd | undefined
  /** Commits may be in it, whether or not they can be read: an epoch was begun there, or it is damaged. */
  readonly isUsed: boolean
}

export interface RecoveryInput {
  /** The drives that can be read, in the order in which new members are chosen. */
  readonly seen: readonly SeenDrive[]
  /** How many drives the set has. */
  readonly drives: number
  /** On how many an epoch has to be. */
  readonly writeQuorum: number
  /** How many drives are to have the metadata: one more than may be lost. */
  readonly copies: number
}

export type RecoveryPlan =
  | { readonly kind: 'refuse'; readonly reason: string }
  /** Everything acknowledged is there, but an epoch would not hold: what is there can be read, and nothing written. */
  | { readonly kind: 'readOnly'; readonly donor: string; readonly reason: string }
  | {
    readonly kind: 'recover'
    /** The member that has everything that was acknowledged; undefined when there is nothing yet. */
    readonly donor: string | undefined
    /** The members of the epoch to begin, the donor first. */
    readonly members: readonly string[]
    /** Others, in order: a member that cannot be brought up is replaced by the first of them that can. */
    readonly spares: readonly string[]
    readonly epoch: number
  }

/**
 * Which drive has every acknowledged commit, and who is a member from now on. Pure.
 *
 * A commit is acknowledged once all members of its epoch have it, and an epoch holds once it is on a
 * write quorum, with all of its members brought up to what came before it. So enough drives to meet
 * every write quorum know the newest epoch, and any member of it that can be read has everything; of
 * several, the longest journal is completed on all. Drives outside of that epoch are only targets,
 * whatever they hold.
 *
 * Where data and parity are equally many, a read quorum is left after the loss of as many drives as there are
 * parities, but no write quorum: of 2 drives 1, of 4 drives 2, of 6 drives 3, of 8 drives 4. Such a start only reads.
 */
export function planRecovery({ seen, drives, writeQuorum, copies }: RecoveryInput): RecoveryPlan {
  const readQuorum = drives - writeQuorum + 1
  const tooFew = seen.length < writeQuorum ? `${seen.length} of ${drives} drives can be used for the metadata; ${writeQuorum} are needed` : undefined
  const told = seen.flatMap(({ epoch }) => (epoch === undefined ? [] : [epoch]))
  if (told.length === 0) {
    if (tooFew !== undefined) return refuse(tooFew)
    const donor = longest(seen)
    return { kind: 'recover', donor: donor?.id, ...membersOf(donor, seen, copies), epoch: (donor?.end?.epoch ?? 0) + 1 }
  }
  const newest = Math.max(...told.map(({ epoch }) => epoch))
  // The very first epoch may have been cut off while it was told, again and again: all drives are there, and nothing was journalled.
  const isFirst = seen.length === drives && seen.every(({ isUsed }) => !isUsed)
  if (told.length < readQuorum && !isFirst) return refuse(`${told.length} of ${drives} drives know who has the metadata; ${readQuorum} are needed`)
  // Two starts that each reached only some drives may have given the same number to different members: nothing
  // was acknowledged in at least one of them, and the longest journal tells in which.
  const candidates: SeenDrive[] = []
  for (const { epoch, members } of told) {
    if (epoch !== newest) continue
    const found = seen.filter(({ id, end }) => members.includes(id) && end !== undefined)
    if (found.length === 0 && !isFirst) return refuse(`none of the drives with the metadata of epoch ${epoch} can be read: ${members.join(', ')}`)
    candidates.push(...found)
  }
  const donor = longest(candidates)
  if (tooFew !== undefined) return donor === undefined ? refuse(tooFew) : { kind: 'readOnly', donor: donor.id, reason: tooFew }
  return { kind: 'recover', donor: donor?.id, ...membersOf(donor, seen, copies), epoch: newest + 1 }
}

function longest(drives: readonly SeenDrive[]): SeenDrive | undefined {
  return drives.reduce<SeenDrive | undefined>((best, other) => (other.end !== undefined && isLonger(other.end, best?.end) ? other : best), undefined)
}

function isLonger(end: JournalEnd, other: JournalEnd | undefined): boolean {
  if (other === undefined) return true
  return end.epoch === other.epoch ? end.seq > other.seq : end.epoch > other.epoch
}

/** The donor, then those that have metadata already, then others. */
function membersOf(donor: SeenDrive | undefined, seen: readonly SeenDrive[], copies: number): { readonly members: string[]; readonly spares: string[] } {
  const others = seen.filter(({ id }) => id !== donor?.id)
  const inOrder = [...(donor === undefined ? [] : [donor]), ...others.filter(({ end }) => end !== undefined), ...others.filter(({ end }) => end === undefined)]
  const ids = inOrder.map(({ id }) => id)
  return { members: ids.slice(0, copies), spares: ids.slice(copies) }
}

function refuse(reason: string): RecoveryPlan {
  return { kind: 'refuse', reason }
}
