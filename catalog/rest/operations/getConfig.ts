import { endpointName } from '../endpoints.ts'
import type { Query } from '../operation.ts'

/**
 * GET /v1/config: what a client must know before anything else. The prefix of all other paths is
 * the warehouse's name; the endpoints are exactly those that work.
 */
export const getConfig: Query = {
  kind: 'query',
  async run({ warehouse, fileIoProperties }, { settings, endpoints }) {
    return {
      kind: 'json',
      body: {
        defaults: { ...fileIoProperties },
        overrides: { prefix: encodeURIComponent(warehouse.name), 'namespace-separator': '%1F' },
        endpoints: endpoints.map(endpointName),
        'idempotency-key-lifetime': isoDuration(settings.idempotencyLifetimeMs),
      },
    }
  },
}

function isoDuration(durationMs: number): string {
  return `PT${Math.floor(durationMs / 1000)}S`
}
