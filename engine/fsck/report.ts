/**
 * - `lost`: acknowledged bytes or rows are gone or fail their checksum.
 * - `wrong`: rows contradict each other; nothing is lost yet, but something might be.
 * - `garbage`: space that nobody refers to. Harmless: a crash leaves it, the sweep takes it.
 */
export type Severity = 'lost' | 'wrong' | 'garbage'

export type FindingCode =
  /** A row fails its checksum; the rows of its table after it were not looked at. */
  | 'RowUnreadable'
  /** A table of a copy of the metadata has not the rows that were put into it: what is missing was not looked at. */
  | 'RowsMissing'
  /** A row has its checksum but not its format. */
  | 'RowMalformed'
  /** A row belongs to a bucket, a key or an upload that is not there. */
  | 'RowStray'
  /** A head row and the history of its key contradict each other. */
  | 'HistoryWrong'
  | 'BytesMissing'
  | 'BytesCorrupt'
  | 'SizeWrong'
  /** Bytes in use without a reference row, or with one that is marked as dropped. */
  | 'ReferenceMissing'
  /** A reference row, or a content row, that nothing uses. */
  | 'ReferenceUnused'
  /** A stored blob without a reference row. */
  | 'BlobUnused'
  /** A table or view of the catalog leads to a file that is not there or cannot be read. */
  | 'TableBroken'

export interface Finding {
  readonly severity: Severity
  readonly code: FindingCode
  /** What it is about: `bucket/key?versionId`, an upload, a blob's id, a row's key in hex. */
  readonly subject: string
  readonly explanation: string
}

export interface FsckReport {
  /** `clean`: nothing lost, nothing wrong; there may be garbage. */
  readonly verdict: 'clean' | 'wrong' | 'lost'
  /** The first `maxFindings` of each severity. */
  readonly findings: readonly Finding[]
  readonly found: Readonly<Record<Severity, number>>
  readonly checked: Readonly<Record<Counted, number>>
  /** Blobs and layouts that were dropped and wait for the end of their grace period. */
  readonly awaitingCollection: number
}

export type Counted = 'buckets' | 'keys' | 'versions' | 'uploads' | 'parts' | 'blobs' | 'bytes' | 'events' | 'tables' | 'snapshots' | 'tableFiles'

const maxFindings = 1000

/** Collects findings and counts. */
export class ReportBuilder {
  readonly #findings: Finding[] = []
  readonly #found: Record<Severity, number> = { lost: 0, wrong: 0, garbage: 0 }
  readonly checked: Record<Counted, number> = { buckets: 0, keys: 0, versions: 0, uploads: 0, parts: 0, blobs: 0, bytes: 0, events: 0, tables: 0, snapshots: 0, tableFiles: 0 }
  awaitingCollection = 0

  find(severity: Severity, code: FindingCode, subject: string, explanation: string): void {
    this.#found[severity]++
    if (this.#found[severity] <= maxFindings) this.#findings.push({ severity, code, subject, explanation })
  }

  add(findings: readonly Finding[], checked: Partial<FsckReport['checked']>): void {
    for (const { severity, code, subject, explanation } of findings) this.find(severity, code, subject, explanation)
    Object.assign(this.checked, checked)
  }

  build(): FsckReport {
    const { lost, wrong } = this.#found
    const verdict = lost > 0 ? 'lost' : wrong > 0 ? 'wrong' : 'clean'
    const { checked, awaitingCollection } = this
    return { verdict, findings: this.#findings, found: this.#found, checked, awaitingCollection }
  }
}
