import type { ProviderRecord } from '../identity/iam-records.ts'
import type { IamReader, IamRows } from '../identity/iam-rows.ts'
import { QueryError } from '../wire/query-error.ts'

/** The provider's name: its URL without the scheme and without a slash at the end. */
export function providerName(url: string | undefined): string {
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.protocol !== 'https:' || parsed.search !== '' || parsed.hash !== '' || parsed.username !== '' || (url ?? '').length > 255) {
    throw new QueryError('InvalidInput', 'Invalid Open ID Connect Provider URL: it begins with https:// and has no query')
  }
  return `${parsed.host}${parsed.pathname}`.replace(/\/+$/, '')
}

export const providerResource = (arn: string | undefined): string => (arn ?? '').split(':').slice(5).join(':')

export async function requireProvider(rows: IamReader, arn: string | undefined): Promise<ProviderRecord> {
  const prefix = `arn:aws:iam::${rows.accountId}:oidc-provider/`
  const provider = arn?.startsWith(prefix) === true ? await rows.get('provider', arn.slice(prefix.length)) : undefined
  if (provider === undefined) throw new QueryError('NoSuchEntity', `OpenIDConnect Provider not found for arn ${arn ?? ''}`)
  return provider
}

export function changingProvider(arn: string | undefined, change: (provider: ProviderRecord) => ProviderRecord) {
  return async (rows: IamRows): Promise<void> => rows.put('provider', change(await requireProvider(rows, arn)))
}

export function checkClientIds(ids: readonly string[] | undefined): readonly string[] {
  const unique = [...new Set(ids ?? [])]
  if (unique.length > 100 || unique.some(id => id === '' || id.length > 255)) throw new QueryError('ValidationError', 'At most 100 client ids of 1 to 255 characters')
  return unique
}

export function checkThumbprints(thumbprints: readonly string[] | undefined): readonly string[] {
  const list = thumbprints ?? []
  if (list.length > 5 || list.some(print => !/^[0-9a-fA-F]{40}$/.test(print))) throw new QueryError('ValidationError', 'At most 5 thumbprints of 40 hexadecimal digits')
  return list
}
