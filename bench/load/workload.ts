/** The requests of each operation, and the objects that must exist before them. */
import { hash, randomBytes } from 'node:crypto'
import type { Connection } from './connection.ts'
import { partsOfUpload, type Operation, type Plan } from './plan.ts'
import type { ReadResponse } from './response-reader.ts'
import { emptyPayload, unsignedPayload, type Signer } from './sign.ts'

/** One request over this connection; undefined when there is nothing left to do. */
export type Workload = (connection: Connection) => Promise<ReadResponse> | undefined

const listedKeys = 1000

export class Requests {
  readonly #plan: Plan
  readonly #sign: Signer
  readonly #body: Buffer
  readonly #payloadHash: string
  readonly #bodyMd5: string
  #next = 0

  constructor(plan: Plan, sign: Signer) {
    this.#plan = plan
    this.#sign = sign
    this.#body = randomBytes(plan.sizeBytes)
    this.#bodyMd5 = hash('md5', this.#body)
    this.#payloadHash = plan.payload === 'signed' ? hash('sha256', this.#body) : unsignedPayload
  }

  workload(): Workload {
    const { operation } = this.#plan
    if (operation === 'DELETE') return connection => this.#next < this.#plan.preloaded ? this.remove(connection, this.#preloadedKey(this.#next++)) : undefined
    if (operation === 'MIXED') return connection => this.#run(mixedOperation(), connection)
    return connection => this.#run(operation, connection)
  }

  async prepare(connections: readonly [Connection, ...Connection[]]): Promise<void> {
    const { bucket, operation, preloaded } = this.#plan
    const made = await connections[0].request(`${this.#sign('PUT', `/${bucket}`, '', emptyPayload)}content-length: 0\r\n\r\n`, undefined, false)
    if (made.status !== 200 && made.status !== 409) throw new Error(`creating the bucket answered ${made.status}`)
    if (operation === 'PUT' || operation === 'MULTIPART') return
    let next = 0
    const count = operation === 'LIST' ? listedKeys : preloaded
    await Promise.all(connections.map(async connection => {
      while (next < count) {
        const { status } = await this.put(connection, this.#preloadedKey(next++))
        if (status !== 200) throw new Error(`preparing an object answered ${status}`)
      }
    }))
  }

  #preloadedKey(index: number): string {
    const { operation, sizeBytes, round } = this.#plan
    const set = operation === 'DELETE' ? `delete-${round}` : operation === 'LIST' ? 'list' : 'read'
    return `${set}/${sizeBytes}/${String(index).padStart(7, '0')}`
  }

  #run(operation: Exclude<Operation, 'MIXED'>, connection: Connection): Promise<ReadResponse> {
    switch (operation) {
      case 'PUT':
        return this.put(connection, this.#writtenKey(this.#next++))
      case 'DELETE':
        // In a mix: what the mix has put, so that reads keep finding the prepared objects.
        return this.remove(connection, this.#writtenKey(Math.floor(Math.random() * Math.max(1, this.#next))))
      case 'MULTIPART':
        return this.#upload(connection, this.#writtenKey(this.#next++))
      case 'LIST':
        return this.#send(connection, 'GET', `/${this.#plan.bucket}`, `list-type=2&max-keys=${listedKeys}&prefix=list%2F${this.#plan.sizeBytes}%2F`)
      case 'GET':
      case 'HEAD':
        return this.#send(connection, operation, this.#path(this.#preloadedKey(Math.floor(Math.random() * this.#plan.preloaded))), '')
    }
  }

  /** A whole multipart upload; the answer is that of its completion. */
  async #upload(connection: Connection, key: string): Promise<ReadResponse> {
    const path = this.#path(key)
    const created = await connection.request(`${this.#sign('POST', path, 'uploads=', emptyPayload)}content-length: 0\r\n\r\n`, undefined, false)
    const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(created.text)?.[1]
    if (uploadId === undefined) return created
    const query = `uploadId=${encodeURIComponent(uploadId)}`
    let parts = ''
    for (let partNumber = 1; partNumber <= partsOfUpload; partNumber++) {
      const head = this.#sign('PUT', path, `partNumber=${partNumber}&${query}`, this.#payloadHash)
      const stored = await connection.request(`${head}content-length: ${this.#body.length}\r\n\r\n`, this.#body, false)
      if (stored.status !== 200) return stored
      parts += `<Part><PartNumber>${partNumber}</PartNumber><ETag>${this.#bodyMd5}</ETag></Part>`
    }
    const document = Buffer.from(`<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`)
    return connection.request(`${this.#sign('POST', path, query, hash('sha256', document))}content-length: ${document.length}\r\n\r\n`, document, false)
  }

  #writtenKey(index: number): string {
    return `written-${this.#plan.round}/${this.#plan.sizeBytes}/${String(index).padStart(7, '0')}`
  }

  #path(key: string): string {
    return `/${this.#plan.bucket}/${key}`
  }

  put(connection: Connection, key: string): Promise<ReadResponse> {
    const head = this.#sign('PUT', this.#path(key), '', this.#payloadHash)
    return connection.request(`${head}content-length: ${this.#body.length}\r\n\r\n`, this.#body, false)
  }

  remove(connection: Connection, key: string): Promise<ReadResponse> {
    return this.#send(connection, 'DELETE', this.#path(key), '')
  }

  #send(connection: Connection, method: string, path: string, query: string): Promise<ReadResponse> {
    return connection.request(`${this.#sign(method, path, query, emptyPayload)}\r\n`, undefined, method === 'HEAD')
  }
}

/** The shares of a common mix: 45% GET, 30% HEAD, 15% PUT, 10% DELETE. */
function mixedOperation(): Exclude<Operation, 'MIXED'> {
  const roll = Math.random()
  if (roll < 0.45) return 'GET'
  if (roll < 0.75) return 'HEAD'
  return roll < 0.9 ? 'PUT' : 'DELETE'
}
