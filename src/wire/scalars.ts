import { isoDate, parseDateTime, parseHttpDate } from './http-date.ts'
import type { TimestampFormat } from './shape.ts'

/** Scalars as text, in headers, queries and elements alike. Each gives undefined for text that is no such value. */

/** Whole numbers within ±2^53: `5x`, `1.0`, `` and `1e3` are none. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

export function parseBoolean(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case 'true': return true
    case 'false': return false
    default: return undefined
  }
}

/** Any form is taken wherever it stands: clients mix them up, and no text is a date in two of them. */
export function parseTimestamp(text: string, format: TimestampFormat): Date | undefined {
  if (format === 'epoch-seconds' && /^-?\d{1,12}(?:\.\d{1,9})?$/.test(text)) return new Date(Number(text) * 1000)
  const ms = parseDateTime(text) ?? parseHttpDate(text)
  return ms === undefined ? undefined : new Date(ms)
}

export function formatTimestamp(date: Date, format: TimestampFormat): string {
  switch (format) {
    case 'date-time': return isoDate(date.getTime())
    case 'http-date': return date.toUTCString()
    case 'epoch-seconds': return String(date.getTime() / 1000)
  }
}
