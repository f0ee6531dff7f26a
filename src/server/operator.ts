import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import { CredentialError, type LookupAccessKey } from '../identity/caller.ts'
import { isUnboundRoot } from '../policy/principal.ts'
import { authenticate } from '../sigv4/authenticate.ts'
import { SigV4Error } from '../sigv4/sigv4-error.ts'
import type { SigningKeys } from '../sigv4/signing-keys.ts'

export interface OperatorKeys {
  readonly lookupAccessKey: LookupAccessKey
  readonly keys: SigningKeys
  readonly clock: Clock
}

/**
 * Whether the request is signed, as one of S3 is, by the server root's key or by a session of it that nothing limits.
 * A body is covered where the route hands it over unparsed; any other signed body is refused. Never throws for what a
 * client sent.
 */
export async function isOperator({ raw, body }: FastifyRequest, { lookupAccessKey, keys, clock }: OperatorKeys): Promise<boolean> {
  let isRoot = false
  try {
    const { kind } = await authenticate(
      { method: raw.method ?? 'GET', url: raw.url ?? '/', rawHeaders: raw.rawHeaders },
      {
        nowMs: clock.nowMs(),
        keys,
        services: ['s3'],
        region: undefined,
        bodySha256Hex: hash('sha256', body instanceof Buffer ? body : ''),
        secretOf: async (accessKeyId, sessionToken) => {
          const credentials = await lookupAccessKey(accessKeyId, sessionToken)
          isRoot = credentials !== undefined && isUnboundRoot(credentials.caller.principal)
          return credentials?.secretAccessKey
        },
      },
    )
    return kind === 'authenticated' && isRoot
  } catch (error) {
    if (error instanceof SigV4Error || error instanceof CredentialError) return false
    throw error
  }
}
