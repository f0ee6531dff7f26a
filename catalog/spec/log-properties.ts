import type { Properties } from './table-metadata.ts'

/** Properties that say how long a table's log of metadata files is, and what becomes of those that leave it. */

const maxVersionsProperty = 'write.metadata.previous-versions-max'
const defaultMaxVersions = 100

export function maxLoggedFiles(properties: Properties): number {
  const configured = Number.parseInt(properties[maxVersionsProperty] ?? '', 10)
  return Math.max(1, Number.isNaN(configured) ? defaultMaxVersions : configured)
}

/** Whether metadata files that leave the log are to be deleted. */
export function deletesExpiredFiles(properties: Properties): boolean {
  return properties['write.metadata.delete-after-commit.enabled']?.toLowerCase() === 'true'
}

/** Whether a property has to do with the log. */
export function concernsLog(name: string): boolean {
  return name.startsWith('write.metadata.')
}
