import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import type { StartedServer } from '../start-server.ts'
import type { Catalog, CatalogAnswer } from './catalog.ts'
import type { Credentials } from './connect.ts'

/** The warehouse `lake` as a holder of keys has it, who signs each request: sessions too. */
export function signedCatalogOf({ endpoint }: Pick<StartedServer, 'endpoint'>, credentials: Credentials): Catalog {
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 's3tables', sha256: Hash.bind(null, 'sha256') })
  return async (method, path, body, headers = {}) => {
    const { host, hostname, port } = new URL(endpoint)
    const text = body === undefined ? undefined : JSON.stringify(body)
    const whole = `/iceberg/v1/lake/${path}`
    const signed = await signer.sign({
      method, protocol: 'http:', hostname, port: Number(port), path: whole, query: {}, headers: { host, 'content-type': 'application/json', ...headers }, ...(text === undefined ? {} : { body: text }),
    })
    const response = await fetch(`${endpoint}${whole}`, { method, headers: signed.headers, ...(text === undefined ? {} : { body: text }) })
    const answer = await response.text()
    return { status: response.status, body: (answer === '' ? {} : JSON.parse(answer)) as CatalogAnswer['body'] }
  }
}
