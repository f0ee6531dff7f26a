import type { Context } from './conditions.ts'
import type { Principal, PrincipalKind } from './principal.ts'

/** What every request brings to conditions, whatever its protocol. */
export interface RequestFacts {
  readonly principal: Principal
  readonly nowMs: number
  /** Undefined: unknown. */
  readonly sourceIp: string | undefined
  readonly isSecure: boolean
  readonly userAgent: string | undefined
  readonly referer: string | undefined
  /** The account that owns the resource. */
  readonly resourceAccountId: string | undefined
}

const principalTypes: Readonly<Record<PrincipalKind, string>> = {
  serverRoot: 'Account',
  accountRoot: 'Account',
  user: 'User',
  roleSession: 'AssumedRole',
  federated: 'FederatedUser',
  anonymous: 'Anonymous',
}

/** The `aws:` keys, the caller's own keys, and what `own` knows besides. Values are looked up only when a condition asks. */
export function requestContext(facts: RequestFacts, own: Context): Context {
  return key => {
    const read = globalKeys[key]
    if (read !== undefined) {
      const value = read(facts)
      if (value !== undefined) return [value]
    }
    return own(key) ?? facts.principal.keys.get(key) ?? taggedIgnoringCase(facts.principal.keys, key)
  }
}

const globalKeys: Readonly<Record<string, ((facts: RequestFacts) => string | undefined) | undefined>> = {
  'aws:currenttime': ({ nowMs }) => new Date(nowMs).toISOString(),
  'aws:epochtime': ({ nowMs }) => String(Math.floor(nowMs / 1000)),
  'aws:sourceip': ({ sourceIp }) => sourceIp,
  'aws:securetransport': ({ isSecure }) => String(isSecure),
  'aws:useragent': ({ userAgent }) => userAgent,
  'aws:referer': ({ referer }) => referer,
  'aws:username': ({ principal }) => principal.userName,
  'aws:userid': ({ principal }) => principal.userId,
  'aws:principaltype': ({ principal }) => principalTypes[principal.kind],
  'aws:principalarn': ({ principal }) => principal.arn || undefined,
  'aws:principalaccount': ({ principal }) => principal.accountId || undefined,
  'aws:principalisawsservice': () => 'false',
  'aws:viaawsservice': () => 'false',
  'aws:resourceaccount': ({ resourceAccountId }) => resourceAccountId,
}

/** Names of tags in conditions are not case-sensitive; an exact one goes first. */
function taggedIgnoringCase(keys: ReadonlyMap<string, readonly string[]>, key: string): readonly string[] | undefined {
  if (!key.includes('/')) return undefined
  const wanted = key.toLowerCase()
  for (const [name, values] of keys) if (name.toLowerCase() === wanted) return values
  return undefined
}

/** The value of a tag that a key such as `s3:existingobjecttag/Team` asks for. */
export function tagValue(tags: Readonly<Record<string, string>> | undefined, key: string): readonly string[] | undefined {
  if (tags === undefined) return undefined
  const name = key.slice(key.indexOf('/') + 1)
  const exact = Object.hasOwn(tags, name) ? tags[name] : undefined
  const found = exact ?? Object.entries(tags).find(([tag]) => tag.toLowerCase() === name.toLowerCase())?.[1]
  return found === undefined ? undefined : [found]
}

