const basicFormat = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

let lastText = ''
let lastMs: number | undefined

/** Milliseconds since the epoch of `yyyyMMdd'T'HHmmss'Z'`, or undefined when it is not such a time. */
export function parseBasicTimestamp(text: string): number | undefined {
  // Most requests are signed in the same second as the one before.
  if (text !== lastText) {
    lastMs = readBasicTimestamp(text)
    lastText = text
  }
  return lastMs
}

function readBasicTimestamp(text: string): number | undefined {
  const match = basicFormat.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second] = match
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(timeMs) ? undefined : timeMs
}

/** `yyyyMMdd'T'HHmmss'Z'`. */
export function basicTimestamp(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

/** `2026-01-31T12:34:56Z`, as the elements of S3's error bodies show times. */
export function elementTimestamp(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`
}
