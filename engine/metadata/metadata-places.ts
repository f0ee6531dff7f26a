/** Where the metadata of a deployment may be: the drives of one set that are there. Plain values, as they go to the committer's process. */
export interface MetadataPlaces {
  readonly drives: readonly MetadataDrive[]
  /** How many drives the set has. */
  readonly setDrives: number
  /** On how many of them an epoch has to be. */
  readonly writeQuorum: number
  /** How many are to have the metadata: one more than may be lost. */
  readonly copies: number
}

export interface MetadataDrive {
  readonly id: string
  /** The drive's own directory: it is used only while it is the drive of this id. Absent: not looked at. */
  readonly root?: string
  /** The metadata directory; made durably when it is missing. Nobody else commits to it. */
  readonly directory: string
}

/** The metadata on one drive. */
export function onOneDrive(directory: string): MetadataPlaces {
  return { drives: [{ id: 'only', directory }], setDrives: 1, writeQuorum: 1, copies: 1 }
}
