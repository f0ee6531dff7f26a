/** Where audit records go. */
export interface AuditTarget {
  /** Takes one record, a line without its end. Never throws, never waits. */
  write(record: string): void
  /**
   * Undefined while there is room for more records. Else resolves when there is again: `true`, or `false` when there
   * was none for so long that the request should be refused.
   */
  admit(): Promise<boolean> | undefined
  /** Resolves when nothing waits any more, or cannot be delivered. */
  close(): Promise<void>
}
