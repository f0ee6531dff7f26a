import { xxh64 } from '@node-rs/xxhash'
import type { Drive, DriveFile } from '../drives/drive.ts'
import type { Position } from './index/metadata-index.ts'
import { alignmentBytes } from './journal/record.ts'

/**
 * A state of the index that is on the drive: where a restart begins, and what it replays the journal on.
 *
 * Two files hold the same, one written after the other, each made whole before it is first used: one
 * of them is always valid, a checkpoint needs no space, and no older one is left to go back to.
 */
export interface Checkpoint {
  readonly position: Position
  readonly snapshot: Buffer
}

const prefix = 'checkpoint-'

export class CheckpointFiles {
  readonly #files: readonly DriveFile[]

  private constructor(files: readonly DriveFile[]) {
    this.#files = files
  }

  /**
   * Durable when it resolves, in the place of all that there were. The older ones go before the second file is made, so that
   * no more than one sector beyond theirs is ever needed: a drive may have no more.
   */
  static async begin(drive: Drive, checkpoint: Checkpoint): Promise<CheckpointFiles> {
    const older = await checkpointNames(drive)
    const next = Math.max(0, ...older.map(numberOf)) + 1
    const sector = encodeCheckpoint(checkpoint)
    const first = await makeFile(drive, `${prefix}${next}`, sector)
    try {
      for (const name of older) await drive.remove(name)
      return new CheckpointFiles([first, await makeFile(drive, `${prefix}${next + 1}`, sector)])
    } catch (error) {
      await first.close().catch(() => undefined)
      throw error
    }
  }

  /** Durable when it resolves; no other checkpoint is valid any more. */
  async write(checkpoint: Checkpoint): Promise<void> {
    const sector = encodeCheckpoint(checkpoint)
    for (const file of this.#files) {
      await file.write(sector, 0)
      await file.sync()
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close()
  }
}

/** With its entry, and whatever entries went before it; on failure it leaves nothing that takes space. */
async function makeFile(drive: Drive, name: string, sector: Buffer): Promise<DriveFile> {
  const file = await drive.create(name)
  try {
    await file.write(sector, 0)
    await file.sync()
    await drive.syncDirectory('')
    return file
  } catch (error) {
    await file.close().catch(() => undefined)
    await drive.remove(name).catch(() => undefined)
    throw error
  }
}

/** The newest that is whole; undefined when there is none, `damaged` when there are only others. */
export async function readCheckpoint(drive: Drive): Promise<Checkpoint | 'damaged' | undefined> {
  let newest: Checkpoint | undefined
  let isDamaged = false
  for (const name of await checkpointNames(drive)) {
    const bytes = Buffer.alloc(alignmentBytes)
    const read = decodeCheckpoint(bytes.subarray(0, await readSector(drive, name, bytes)))
    if (read === undefined) isDamaged ||= bytes.some((byte) => byte !== 0)
    else if (newest === undefined || read.position.seq > newest.position.seq) newest = read
  }
  return newest ?? (isDamaged ? 'damaged' : undefined)
}

/** Durably: the drive holds no checkpoint when it resolves. */
export async function removeCheckpoints(drive: Drive): Promise<void> {
  for (const name of await checkpointNames(drive)) await drive.remove(name)
  await drive.syncDirectory('')
}

async function readSector(drive: Drive, path: string, sector: Buffer): Promise<number> {
  const file = await drive.open(path)
  try {
    return await file.read(sector, 0)
  } finally {
    await file.close()
  }
}

async function checkpointNames(drive: Drive): Promise<string[]> {
  return (await drive.list('')).filter((name) => new RegExp(`^${prefix}\\d+$`).test(name))
}

function numberOf(name: string): number {
  return Number(name.slice(prefix.length))
}

const opening = '{"checkpoint":'

/** JSON in a sector; zeros behind it. */
export function encodeCheckpoint({ position, snapshot }: Checkpoint): Buffer {
  const { epoch, seq, version, checksum } = position
  const body = JSON.stringify({ format: 1, epoch, seq, version, checksum: checksum.toString(16), snapshot: snapshot.toString('base64') })
  const sector = Buffer.alloc(alignmentBytes)
  sector.write(`${opening}${body},"checksum":"${xxh64(body).toString(16)}"}\n`)
  return sector
}

export function decodeCheckpoint(sector: Buffer): Checkpoint | undefined {
  const text = sector.toString('latin1').replace(/\0+$/, '')
  const match = /^\{"checkpoint":(\{.*\}),"checksum":"([0-9a-f]+)"\}\n$/.exec(text)
  const [, body = '', checksum] = match ?? []
  if (match === null || xxh64(body).toString(16) !== checksum) return undefined
  const parsed = JSON.parse(body) as { format: number; epoch: number; seq: number; version: number; checksum: string; snapshot: string }
  const position = { epoch: parsed.epoch, seq: parsed.seq, version: parsed.version, checksum: BigInt(`0x${parsed.checksum}`) }
  return { position, snapshot: Buffer.from(parsed.snapshot, 'base64') }
}
