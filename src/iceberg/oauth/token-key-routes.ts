import type { FastifyInstance, FastifyRequest } from 'fastify'
import { hourMs, secondMs } from '../../../base/units.ts'
import type { TokenKeys } from '../../identity/token-keys.ts'
import { contextOf } from '../../telemetry/request-context.ts'

export interface TokenKeyRoutes {
  readonly tokenKeys: TokenKeys
  /** As tokens name it that are issued to whoever asks. */
  readonly issuerOf: (request: FastifyRequest) => string
}

/** A new key is published a day before it signs. */
const keepSeconds = hourMs / secondMs
const ofKeys = { 'cache-control': `public, max-age=${keepSeconds}` }
/** It says what its reader calls this server, and is no other reader's. */
const ofIssuer = { 'cache-control': 'no-store' }

/**
 * What others verify our access tokens with, without a signature: the public keys (RFC 7517), and where they are
 * (OpenID Connect Discovery 1.0 §3, as far as an issuer has it that signs nobody in).
 */
export function registerTokenKeyRoutes(scope: FastifyInstance, { tokenKeys, issuerOf }: TokenKeyRoutes): void {
  scope.get('/v1/oauth/jwks', async (request, reply) => {
    contextOf(request.raw).notes.operation = 'getTokenKeys'
    return reply.headers(ofKeys).send({ keys: await tokenKeys.published() })
  })
  scope.get('/.well-known/openid-configuration', async (request, reply) => {
    contextOf(request.raw).notes.operation = 'getTokenIssuer'
    const issuer = issuerOf(request)
    return reply.headers(ofIssuer).send({
      issuer,
      jwks_uri: `${issuer}/v1/oauth/jwks`,
      token_endpoint: `${issuer}/v1/oauth/tokens`,
      grant_types_supported: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      response_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })
  })
}
