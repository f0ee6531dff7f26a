import { CatalogError } from '../../errors.ts'
import { array, object, oneOf, optional, record, string } from '../../json/decode.ts'
import { parseLocation } from '../../locations.ts'
import { requireTable } from '../../tables.ts'
import { decodeBody, tableOf, type Query } from '../operation.ts'

const decodeRequest = object({
  region: string,
  uri: string,
  method: oneOf('PUT', 'GET', 'HEAD', 'POST', 'DELETE', 'PATCH', 'OPTIONS'),
  headers: record(array(string)),
  properties: optional(record(string)),
  body: optional(string),
  provider: optional(string),
})

/**
 * POST tables/{table}/sign: signs a client's storage request with the caller's own rights, when it is
 * for objects under the table's location. Signatures of reads may be used again for a while
 * (`Cache-Control: private`). Errors: NoSuchTable, Forbidden, BadRequest.
 */
export const signRequest: Query = {
  kind: 'query',
  async run(input, { store, signer }) {
    const { location } = await requireTable(store, input.warehouse, tableOf(input))
    const { region, uri, method, headers, body, provider } = decodeBody(decodeRequest, input)
    if (provider !== undefined && provider !== 's3') throw new CatalogError('BadRequest', `Unsupported provider: ${provider}`)
    const place = parseLocation(`${location}/`)
    const signed = await signer.sign({ region, uri, method, headers, body }, (bucket, key) => {
      return place !== undefined && bucket === place.bucket && key.startsWith(place.key)
    })
    const cacheControl = method === 'GET' || method === 'HEAD' ? 'private' : 'no-cache'
    return { kind: 'json', body: { uri: signed.uri, headers: signed.headers }, headers: { 'cache-control': cacheControl } }
  },
}
