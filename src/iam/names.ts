import { QueryError } from '../wire/query-error.ts'
import type { Tags } from '../identity/iam-records.ts'

/** What IAM takes as names. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export function checkName(member: string, name: string, maxCharacters: number): string {
  if (name.length > 0 && name.length <= maxCharacters && /^[\w+=,.@-]+$/.test(name)) return name
  throw invalid(member, name.length > maxCharacters ? `Member must have length less than or equal to ${maxCharacters}` : 'Member must satisfy regular expression pattern: [\\w+=,.@-]+')
}

export function checkPath(path: string | undefined): string {
  if (path === undefined) return '/'
  if (path.length <= 512 && (path === '/' || /^\/[\x21-\x7e]+\/$/.test(path)) && !path.includes('//')) return path
  throw new QueryError('ValidationError', 'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.')
}

export function checkDescription(description: string | undefined): string {
  if (description === undefined || (description.length <= 1000 && !/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(description))) return description ?? ''
  throw invalid('description', 'Member must have length less than or equal to 1000')
}

export const maxTags = 50

interface TagInput {
  readonly Key: string | undefined
  readonly Value: string | undefined
}

/** Tags as given, by their keys; a key twice, a malformed or a reserved one is refused. */
export function checkTags(tags: readonly TagInput[] | undefined): Tags {
  const checked: Record<string, string> = {}
  for (const { Key: key = '', Value: value = '' } of tags ?? []) {
    if (key.length < 1 || key.length > 128 || value.length > 256 || !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(key + value)) throw invalid('tags', 'A tag’s key or value is malformed')
    if (/^aws:/i.test(key)) throw new QueryError('InvalidInput', 'Tag keys that begin with aws: are reserved.')
    if (Object.keys(checked).some(known => known.toLowerCase() === key.toLowerCase())) throw new QueryError('InvalidInput', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.')
    checked[key] = value
  }
  if (Object.keys(checked).length > maxTags) throw new QueryError('LimitExceeded', `The number of tags has reached the maximum limit of ${maxTags}.`)
  return checked
}

/** Tags added to others; keys differ by more than case. */
export function mergeTags(old: Tags, added: Tags): Tags {
  const merged = { ...untag(old, Object.keys(added)), ...added }
  if (Object.keys(merged).length > maxTags) throw new QueryError('LimitExceeded', `The number of tags has reached the maximum limit of ${maxTags}.`)
  return merged
}

export function untag(tags: Tags, keys: readonly string[]): Tags {
  const dropped = new Set(keys.map(key => key.toLowerCase()))
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !dropped.has(key.toLowerCase())))
}

export function invalid(member: string, problem: string): QueryError {
  return new QueryError('ValidationError', `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${problem}`)
}
