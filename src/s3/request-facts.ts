import type { TLSSocket } from 'node:tls'
import { dayMs } from '../../base/units.ts'
import { tagValue } from '../policy/request-context.ts'
import { parseTagging } from './tags.ts'
import type { ObjectId, Tags } from '../../engine/index.ts'
import type { Caller } from '../identity/caller.ts'
import type { Context } from '../policy/conditions.ts'
import type { Authentication } from '../sigv4/authenticate.ts'
import type { RequestNotes } from '../telemetry/request-context.ts'
import type { Exchange } from './exchange.ts'

/** What of a request decides about it besides its bucket and key; values are read when a condition asks. */
export interface S3RequestFacts {
  readonly operation: string
  readonly caller: Caller
  readonly nowMs: number
  readonly sourceIp: string | undefined
  readonly isSecure: boolean
  /** A header, or the parameter of the same name in a presigned URL: as the request reader takes them. */
  readonly header: (name: string) => string | undefined
  readonly parameter: (name: string) => string | undefined
  /** How the request was signed, for `s3:authType` and its like; undefined: not at all. */
  readonly signed: { readonly authType: 'REST-HEADER' | 'REST-QUERY-STRING' | 'POST'; readonly atMs: number } | undefined
  /** What its body says, where rights depend on it. */
  readonly body: BodyFacts | undefined
  readonly copySource: ObjectId | undefined
  /** Where the decision is noted for the audit record. */
  readonly notes: RequestNotes
}

export interface BodyFacts {
  readonly tags?: Tags
  readonly locationConstraint?: string | undefined
  readonly lockMode?: string | undefined
  readonly retainUntil?: Date | undefined
  readonly legalHold?: string | undefined
}

interface FactsOf {
  readonly operation: string
  readonly caller: Caller
  readonly authentication: Authentication | undefined
  readonly nowMs: number
  readonly copySource?: ObjectId | undefined
}

export function factsOf(exchange: Exchange, { operation, caller, authentication, nowMs, copySource }: FactsOf): S3RequestFacts {
  const { request, query } = exchange
  const placement = authentication?.kind === 'authenticated' ? authentication : undefined
  return {
    operation,
    caller,
    nowMs,
    sourceIp: addressOf(request.socket.remoteAddress),
    isSecure: (request.socket as Partial<TLSSocket>).encrypted === true,
    header: name => headerOf(exchange, name),
    parameter: name => query.get(name)?.[0],
    signed: placement === undefined ? undefined : { authType: placement.placement === 'query' ? 'REST-QUERY-STRING' : 'REST-HEADER', atMs: placement.signedAtMs },
    body: undefined,
    copySource,
    notes: exchange.context.notes,
  }
}

/** An IPv4 client of a dual-stack socket is an IPv4 client. */
const addressOf = (address: string | undefined): string | undefined => address?.replace(/^::ffff:(?=\d+\.)/, '')

/** Presigned URLs carry headers as parameters; a header of the same name wins. As `read-request.ts` reads them. */
export function headerOf({ request, query }: Pick<Exchange, 'request' | 'query'>, name: string): string | undefined {
  const value = request.headers[name]
  if (value !== undefined) return typeof value === 'string' ? value : value.join(',')
  if (query.size === 0 || !name.startsWith('x-amz-')) return undefined
  for (const [parameter, values] of query) if (parameter.toLowerCase() === name) return values.join(',')
  return undefined
}

/** The `s3:` keys of one need: `versionId` is its own (the source's has another), `existing` the tags of the object that it is about. */
export function s3Context(facts: S3RequestFacts, { versionId, existingTags, resourceAccountId }: NeedFacts): Context {
  return key => {
    if (key.startsWith('s3:x-amz-')) return one(facts.header(key.slice('s3:'.length)))
    if (key.startsWith('s3:existingobjecttag/')) return tagValue(existingTags, key)
    if (key.startsWith('s3:requestobjecttag/') || key.startsWith('aws:requesttag/')) return tagValue(requestTags(facts), key)
    const read = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (key === 's3:versionid') return one(versionId)
    if (key === 's3:resourceaccount') return one(resourceAccountId)
    return read?.(facts)
  }
}

interface NeedFacts {
  readonly versionId: string | undefined
  readonly existingTags: Tags | undefined
  readonly resourceAccountId: string | undefined
}

const one = (value: string | undefined): readonly string[] | undefined => (value === undefined ? undefined : [value])

const tagKeys = (facts: S3RequestFacts): readonly string[] => Object.keys(requestTags(facts) ?? {})

const keys: Readonly<Record<string, (facts: S3RequestFacts) => readonly string[] | undefined>> = {
  's3:prefix': ({ parameter }) => one(parameter('prefix')),
  's3:delimiter': ({ parameter }) => one(parameter('delimiter')),
  's3:max-keys': ({ parameter }) => one(parameter('max-keys')),
  's3:locationconstraint': ({ body }) => one(body?.locationConstraint),
  's3:if-match': ({ header }) => one(header('if-match')),
  's3:if-none-match': ({ header }) => one(header('if-none-match')),
  's3:object-lock-mode': ({ body, header }) => one(body?.lockMode ?? header('x-amz-object-lock-mode')),
  's3:object-lock-legal-hold': ({ body, header }) => one(body?.legalHold ?? header('x-amz-object-lock-legal-hold')),
  's3:object-lock-retain-until-date': facts => one(retainUntil(facts)?.toISOString()),
  's3:object-lock-remaining-retention-days': facts => {
    const until = retainUntil(facts)
    return until === undefined ? undefined : [String(Math.ceil((until.getTime() - facts.nowMs) / dayMs))]
  },
  's3:requestobjecttagkeys': tagKeys,
  'aws:tagkeys': tagKeys,
  's3:signatureversion': ({ signed }) => (signed === undefined ? undefined : ['AWS4-HMAC-SHA256']),
  's3:authtype': ({ signed }) => one(signed?.authType),
  's3:signatureage': ({ signed, nowMs }) => (signed === undefined ? undefined : [String(Math.max(0, nowMs - signed.atMs))]),
}

function retainUntil({ body, header }: S3RequestFacts): Date | undefined {
  if (body?.retainUntil !== undefined) return body.retainUntil
  const date = new Date(header('x-amz-object-lock-retain-until-date') ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** Tags that are none are refused by the operation itself. */
function requestTags({ body, header }: S3RequestFacts): Tags | undefined {
  if (body?.tags !== undefined) return body.tags
  try {
    return parseTagging(header('x-amz-tagging'))
  } catch {
    return undefined
  }
}
