import type { Clock } from '../base/clock.ts'
import type { DroppedRow } from './drops.ts'
import { key, rangeOf, tableKey } from './rows/keys.ts'
import { decodeRow, type PointerRow, type RowReader } from './rows/rows.ts'
import type { TableIdentifier } from './spec/identifier.ts'
import { stripTrailingSlash } from './spec/table-metadata.ts'

/** How long a worker goes on with what it has read of a warehouse. */
const rememberMs = 5_000
const pageRows = 1000
/** Of a larger warehouse nobody says that a folder is one table's alone. */
const mostTables = 200_000

interface Known {
  readonly atMs: number
  /** In order, each with a slash at its end; undefined: too many. */
  readonly folders: readonly Folder[] | undefined
}

interface Folder {
  readonly path: string
  /** The table's row key in hex. */
  readonly owner: string
  readonly uuid: string
}

/** The folders of a warehouse's tables, also of those that were dropped and can be restored. */
export class TableLocations {
  readonly #clock: Clock
  readonly #known = new Map<string, Promise<Known>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether no other table's folder is this one, within it, or around it. A table that was just made is not missed by its own request. */
  async isAlone(reader: RowReader, warehouse: string, identifier: TableIdentifier, location: string): Promise<boolean> {
    const { folders } = await this.#foldersOf(reader, warehouse)
    if (folders === undefined) return false
    const own = ownerOf(tableKey(warehouse, identifier))
    const path = folderOf(location)
    if (isTaken(folders, path, own)) return false
    for (let slash = path.indexOf('/'); slash >= 0 && slash < path.length - 1; slash = path.indexOf('/', slash + 1)) {
      const around = path.slice(0, slash + 1)
      const at = firstAtOrAfter(folders, around)
      for (let index = at; folders[index]?.path === around; index++) if (folders[index]?.owner !== own) return false
    }
    return true
  }

  /** Those of the files that are in no other table's folder; none where more tables are than anybody looks through. */
  async inNoOther(reader: RowReader, warehouse: string, identifier: TableIdentifier, files: readonly string[]): Promise<readonly string[]> {
    const { folders } = await this.#foldersOf(reader, warehouse)
    if (folders === undefined) return []
    const own = ownerOf(tableKey(warehouse, identifier))
    return files.filter((file) => foldersAround(folders, pathOf(file)).every(({ owner }) => owner === own))
  }

  async #foldersOf(reader: RowReader, warehouse: string): Promise<Known> {
    const known = await this.#known.get(warehouse)
    if (known !== undefined && this.#clock.monotonicMs() - known.atMs < rememberMs) return known
    const reading = readFolders(reader, warehouse, this.#clock.monotonicMs())
    this.#known.set(warehouse, reading)
    reading.catch(() => this.#known.delete(warehouse))
    return reading
  }
}

/** Folders at and below `path`: they follow one another. */
function isTaken(folders: readonly Folder[], path: string, own: string): boolean {
  for (let index = firstAtOrAfter(folders, path); folders[index]?.path.startsWith(path) === true; index++) if (folders[index]?.owner !== own) return true
  return false
}

function firstAtOrAfter(folders: readonly Folder[], path: string): number {
  let [low, high] = [0, folders.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((folders[middle]?.path ?? '') < path) low = middle + 1
    else high = middle
  }
  return low
}

async function readFolders(reader: RowReader, warehouse: string, atMs: number): Promise<Known> {
  const folders: Folder[] = []
  const folderIn = (rowKey: Uint8Array, { location, uuid }: PointerRow): Folder => ({ path: folderOf(location), owner: ownerOf(rowKey), uuid })
  const read = async (prefix: Buffer, decode: (row: { readonly key: Uint8Array; readonly value: Uint8Array }) => Folder): Promise<void> => {
    const { start, end } = rangeOf(prefix)
    for (let from = start; folders.length <= mostTables; ) {
      const rows = await reader.list({ start: from, end, limit: pageRows })
      for (const row of rows) folders.push(decode(row))
      const last = rows.at(-1)
      if (last === undefined || rows.length < pageRows) return
      from = Buffer.concat([last.key, Buffer.of(0)])
    }
  }
  await read(key('t', warehouse), ({ key: rowKey, value }) => folderIn(rowKey, decodeRow<PointerRow>(value)))
  await read(key('d', warehouse), ({ key: rowKey, value }) => folderIn(rowKey, decodeRow<DroppedRow>(value).pointer))
  folders.sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0))
  return { atMs, folders: folders.length > mostTables ? undefined : folders }
}

/**
 * Which files of a table that is gone no other one has: those in its own folder, but for folders of others within it, and
 * those elsewhere that are in no other's folder. Undefined: none is known to be; another table with its uuid is there,
 * which has all of them, or more tables are there than anybody looks through.
 */
export async function filesOfNobodyElse(
  reader: RowReader, warehouse: string, { uuid, location }: Pick<PointerRow, 'uuid' | 'location'>,
): Promise<((file: string) => boolean) | undefined> {
  const { folders } = await readFolders(reader, warehouse, 0)
  const own = folderOf(location)
  if (folders === undefined || folders.some((other) => other.uuid === uuid)) return undefined
  return (file) => {
    const path = pathOf(file)
    const isOwn = path.startsWith(own)
    return !foldersAround(folders, path).some((other) => !isOwn || other.path.length >= own.length)
  }
}

/** The folders that a file is in. */
function foldersAround(folders: readonly Folder[], path: string): Folder[] {
  const found: Folder[] = []
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const around = path.slice(0, slash + 1)
    for (let index = firstAtOrAfter(folders, around), folder = folders[index]; folder?.path === around; folder = folders[++index]) found.push(folder)
  }
  return found
}

const ownerOf = (rowKey: Uint8Array): string => Buffer.from(rowKey).toString('hex')

/** `s3a` and `s3n` name the same place. */
const pathOf = (file: string): string => file.replace(/^s3[an]:/, 's3:')

const folderOf = (location: string): string => `${pathOf(stripTrailingSlash(location))}/`

/** Whether the file is in the folder, at any depth. */
export const isInFolder = (folder: string, file: string): boolean => pathOf(file).startsWith(folderOf(folder))
