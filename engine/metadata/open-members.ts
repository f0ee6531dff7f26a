import { must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { DriveError } from '../drives/drive.ts'
import type { MemberEpoch } from '../drives/member-epoch.ts'
import { readEpoch, writeEpoch } from '../drives/member-epoch.ts'
import { within } from '../drives/within.ts'
import { keepBallast, withRoom } from './ballast.ts'
import { encodeRecord } from './journal/record.ts'
import type { JournalRecord } from './journal/record.ts'
import { KnownRequests } from './known-requests.ts'
import type { Member } from './member.ts'
import { MetadataError } from './metadata-store.ts'
import { copyMember, inspectMember, openMember } from './open-member.ts'
import type { Inspected, MemberPlace, Start } from './open-member.ts'
import { planRecovery } from './plan-recovery.ts'

export interface OpenMembersInput {
  /** Every drive of the set that is there, in the order in which members are chosen. */
  readonly places: readonly MemberPlace[]
  /** How many drives the set has. */
  readonly drives: number
  readonly writeQuorum: number
  readonly copies: number
  /** Members whose index readers have had open all along, the one to be read further first; none when nobody reads. */
  readonly readBy?: readonly string[]
  /** For the mutation check only. */
  readonly plan?: typeof planRecovery
  /** Members that are as good as empty where another has everything; if not all can be spared, the first of them go first. */
  readonly suspects?: readonly string[]
  /** How long a drive may take to be looked at, or to be told of an epoch; without, for ever. */
  readonly patience?: { readonly clock: Clock; readonly lookMs: number; readonly copyMs: number } | undefined
  /** For the log: a drive that could not be used, and why. */
  readonly onSkipped?: (id: string, error: Error) => void
}

export interface OpenMembers {
  /** The first is the one that is read. */
  readonly members: readonly Member[]
  /** Nothing where nothing may be committed: another drive may still bring back what is not here, or this one go with what is. */
  readonly known: KnownRequests
  /** Of the drives that are there, whoever is a member. */
  readonly usable: readonly string[]
  /** Why nothing may be committed, when too few drives can be written; the one member is there to be read. */
  readonly readOnly?: string
  readonly epoch: MemberEpoch | undefined
}

interface Looked {
  readonly place: MemberPlace
  readonly epoch: MemberEpoch | undefined
  readonly inspected: Inspected | undefined
  /** Also of what is not taken into account, because it is damaged or suspect. */
  readonly isUsed: boolean
}

/**
 * Finds the member that has everything, brings the members of the next epoch to it, makes that epoch
 * known to a write quorum, and begins it in their journals. A drive that fails meanwhile is left out.
 * With too few drives to begin an epoch, but enough to know the newest, the outcome is `readOnly`.
 * Throws `Unwritable` when too few drives are there even for that, `Corrupt` when no member can be read.
 */
export async function openMembers(input: OpenMembersInput): Promise<OpenMembers> {
  const { places, drives, writeQuorum, copies, readBy = [], suspects = [], plan: choose = planRecovery, onSkipped = () => {} } = input
  const found = await lookAt(input, onSkipped)
  const looked = withoutSuspects(found, suspects)
  const rankOf = ({ place }: Looked): number => (readBy.includes(place.id) ? readBy.indexOf(place.id) : readBy.length)
  const inOrder = looked.toSorted((a, b) => rankOf(a) - rankOf(b))
  const seen = inOrder.map(({ place, epoch, inspected, isUsed }) => ({ id: place.id, epoch, end: inspected?.end, isUsed }))
  const plan = choose({ seen, drives, writeQuorum, copies })
  if (plan.kind === 'refuse') throw new MetadataError('Unwritable', plan.reason)
  const lookedBy = new Map(looked.map((each) => [each.place.id, each]))
  const [first, ...others] = (plan.kind === 'readOnly' ? [plan.donor] : [...plan.members, ...plan.spares]).map((id) => must(lookedBy.get(id), 'members are among those looked at'))
  const donor = must(first, 'an epoch has a member')
  const startOf = ({ id }: MemberPlace): Start => (readBy.includes(id) ? 'afterCrash' : 'afterPowerLoss')
  const opened = await attempt(donor.place, onSkipped, () => openFirst(donor, startOf(donor.place)), places.length === 1)
  if (opened === undefined) return openMembers(without(input, donor.place.id))
  const usable = looked.map(({ place }) => place.id)
  if (plan.kind === 'readOnly') return { members: [opened], known: nothingKnown(), usable, readOnly: plan.reason, epoch: undefined }
  const members = [opened]
  for (const other of others) {
    // Where one cannot be brought up, the next one is.
    if (members.length === plan.members.length) break
    const member = await attempt(other.place, onSkipped, () =>
      patiently(input, 'copyMs', bringUp(other, opened, donor.inspected?.records ?? [], startOf(other.place))))
    if (member !== undefined) members.push(member)
  }
  const epoch = { epoch: plan.epoch, members: members.map(({ id }) => id) }
  const told = await announce(input, looked, epoch, onSkipped)
  const missed = epoch.members.filter((id) => !told.includes(id))
  if (missed.length > 0) {
    await closeAll(members)
    return openMembers({ ...input, places: places.filter(({ id }) => !missed.includes(id)) })
  }
  if (told.length < writeQuorum) {
    await closeAll(members.slice(1))
    return { members: [opened], known: nothingKnown(), usable, readOnly: `epoch ${plan.epoch} reached ${told.length} drives of the ${writeQuorum} that it needs`, epoch: undefined }
  }
  const known = knownFrom(donor.inspected?.records ?? [], opened)
  await beginEpoch(members, plan.epoch)
  await Promise.all(looked.map(({ place }) => patiently(input, 'lookMs', keepBallast(place.drive)).catch(() => undefined)))
  return { members, known, usable, epoch }
}

/** A drive that fails, or that alone of several is damaged, is as good as absent. */
async function lookAt(input: OpenMembersInput, onSkipped: (id: string, error: Error) => void): Promise<Looked[]> {
  const { places } = input
  const epochs = await Promise.all(places.map(({ drive }) => patiently(input, 'lookMs', readEpoch(drive)).catch(() => undefined)))
  const mayBeOlder = epochs.every((epoch) => epoch === undefined)
  const looked = await Promise.all(places.map(async (place, at) => {
    const epoch = epochs[at]
    try {
      const inspected = await patiently(input, 'lookMs', inspectMember(place, mayBeOlder))
      return { place, epoch, inspected, isUsed: (inspected?.end.epoch ?? 0) > 0 }
    } catch (error) {
      if (!isOfDrive(error) || places.length === 1) throw error
      onSkipped(place.id, error)
      // What it holds is of no use, but it knows its epoch, and can be a target.
      return error instanceof MetadataError ? { place, epoch, inspected: undefined, isUsed: true } : undefined
    }
  }))
  return looked.filter((each) => each !== undefined)
}

/** The damage may be in what readers have open. What others hold of an epoch before is no replacement. */
function withoutSuspects(looked: readonly Looked[], suspects: readonly string[]): readonly Looked[] {
  return suspects.reduce((left, suspect) => {
    const others = left.map((each) => (each.place.id === suspect ? { ...each, inspected: undefined } : each))
    return hasNewest(others) ? others : left
  }, looked)
}

/** A member of the newest epoch that is known can be read; of each, where two starts gave that number to different members. */
function hasNewest(looked: readonly Looked[]): boolean {
  const told = looked.flatMap(({ epoch }) => epoch ?? [])
  const newest = Math.max(...told.map(({ epoch }) => epoch))
  const isHeld = ({ members }: MemberEpoch): boolean => looked.some(({ place, inspected }) => inspected !== undefined && members.includes(place.id))
  return told.length > 0 && told.filter(({ epoch }) => epoch === newest).every(isHeld)
}

/** After what it holds could not be opened: it may still be made anew, and when that was tried it is as good as absent. */
function without(input: OpenMembersInput, id: string): OpenMembersInput {
  const { places, suspects = [] } = input
  return suspects.includes(id) ? { ...input, places: places.filter((place) => place.id !== id) } : { ...input, suspects: [id, ...suspects] }
}

function patiently<T>({ patience }: OpenMembersInput, bound: 'lookMs' | 'copyMs', work: Promise<T>): Promise<T> {
  return patience === undefined ? work : within(patience.clock, patience[bound], 'the drive', work)
}

function openFirst({ place, inspected }: Looked, start: Start): Promise<Member> {
  return openMember(place, inspected, inspected?.records ?? [], start)
}

/** From its own checkpoint where what it has is a beginning of what the donor has, else by a copy. */
async function bringUp({ place, inspected }: Looked, donor: Member, records: readonly JournalRecord[], start: Start): Promise<Member> {
  const { end, checkpoint } = inspected ?? {}
  const { seq, checksum } = donor.index.position
  const isSame = end?.seq === seq && end.checksum === checksum
  const isBeginning = isSame || records.some((record) => record.seq === end?.seq && record.checksum === end.checksum)
  if (inspected === undefined || checkpoint === undefined || !isBeginning) return copyMember(place, donor)
  const missing = records.filter((record) => record.seq > inspected.end.seq)
  try {
    return await openMember(place, inspected, [...inspected.records, ...missing], start)
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error
    return copyMember(place, donor)
  }
}

/** Told to every drive of the set, so that a start which sees only some of them knows of it. Those that it reached. */
async function announce(input: OpenMembersInput, looked: readonly Looked[], epoch: MemberEpoch, onSkipped: (id: string, error: Error) => void): Promise<string[]> {
  const told = await Promise.all(looked.map(({ place }) => attempt(place, onSkipped, async () => {
    await patiently(input, 'lookMs', writeEpoch(place.drive, epoch))
    return place.id
  })))
  return told.filter((id) => id !== undefined)
}

/** What cannot be closed is no member any more. */
async function closeAll(members: readonly Member[]): Promise<void> {
  for (const member of members) await member.close().catch(() => undefined)
}

/** The record that opens an epoch, in every journal and index. */
export async function beginEpoch(members: readonly Member[], epoch: number): Promise<void> {
  await Promise.all(members.map(async ({ drive, index, journal }) => {
    const before = index.position
    const seq = before.seq + 1
    const header = { kind: 'epoch', commits: 0, epoch, seq, firstVersion: before.version + 1, previous: before.checksum } as const
    const { bytes, checksum } = encodeRecord(header, Buffer.from(JSON.stringify({ epoch, members: members.map(({ id }) => id) })))
    await index.write(async (transaction) => {
      transaction.setPosition({ epoch, seq, checksum, version: before.version })
      await withRoom(drive, () => journal.append(bytes, seq))
    })
  }))
}

function nothingKnown(): KnownRequests {
  return new KnownRequests(Infinity)
}

function knownFrom(records: readonly JournalRecord[], { index }: Member): KnownRequests {
  const known = new KnownRequests(index.position.version)
  known.begin(records[0])
  for (const record of records) known.addRecord(record)
  return known
}

async function attempt<T>(place: MemberPlace, onSkipped: (id: string, error: Error) => void, work: () => Promise<T>, isLast = false): Promise<T | undefined> {
  try {
    return await withRoom(place.drive, work)
  } catch (error) {
    if (isLast || !isOfDrive(error)) throw error
    onSkipped(place.id, error)
    return undefined
  }
}

/** Errors that say something of one drive: its own, its index's, and those of the system's calls. */
function isOfDrive(error: unknown): error is Error {
  return error instanceof DriveError || error instanceof MetadataError || (error instanceof Error && 'syscall' in error)
}
