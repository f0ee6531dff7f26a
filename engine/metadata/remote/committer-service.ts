import { assert } from '../../../base/assert.ts'
import { encodeCommit } from '../commit-codec.ts'
import type { Committer } from '../committer.ts'
import { requestIdBytes } from '../journal/record.ts'
import type { Fate, KnownRequests } from '../known-requests.ts'
import { senderBytes } from '../metadata-commits.ts'
import { MetadataError } from '../metadata-store.ts'
import type { CommitResult, MetadataErrorCode } from '../metadata-store.ts'
import { FrameReader, frameHeaderBytes, frameKinds, writeFrameHeader } from './frames.ts'

export const errorCodes: readonly MetadataErrorCode[] = ['Corrupt', 'Full', 'TooLarge', 'Unwritable', 'OutcomeUnknown', 'Closed']
export const fates: readonly Fate['kind'][] = ['committed', 'absent', 'unknown']
/** It is refused once all commits before it are done. */
const neverHolds = encodeCommit({ checks: [{ key: Buffer.of(0), version: Number.MAX_SAFE_INTEGER }], puts: [], deletes: [], appends: [] })
const refused = 0
const committed = 1
export const firstErrorStatus = 2
/** Count, status or fate, version. */
export const answerBytes = 13

/** What all connections to one committer share. */
export interface CommitterService {
  readonly committer: Committer
  readonly known: KnownRequests
  /** By sender, the connection that it uses now. */
  readonly connections: Map<string, ServiceConnection>
}

/** The committer's side of one client's connection. */
export class ServiceConnection {
  readonly #service: CommitterService
  readonly #committer: Committer
  readonly #write: (bytes: Buffer) => void
  readonly #reader = new FrameReader()
  #answers: Buffer[] = []
  #retired = false

  constructor(service: CommitterService, write: (bytes: Buffer) => void) {
    const { committer } = service
    this.#service = service
    this.#committer = committer
    this.#write = write
    const hello = Buffer.alloc(frameHeaderBytes + 8)
    hello.writeBigUInt64BE(BigInt(committer.version), writeFrameHeader(hello, 0, 8, frameKinds.hello))
    write(hello)
  }

  /** Throws on bytes that no client of ours sends; the connection is then of no use. */
  receive(chunk: Buffer): void {
    for (const frame of this.#reader.read(chunk)) {
      // What still comes from a client that has asked over another connection is not to happen.
      if (this.#retired) return
      const requestId = frame.subarray(1, 1 + requestIdBytes)
      if (frame[0] === frameKinds.commit) this.#submit(requestId, frame.subarray(1 + requestIdBytes))
      else {
        assert(frame[0] === frameKinds.ask, 'a client commits or asks')
        this.#findOut(requestId, Number(frame.readBigUInt64BE(1 + requestIdBytes)))
      }
    }
  }

  /** Behind everything that was submitted before, over whatever connection. */
  #findOut(requestId: Buffer, sentAfter: number): void {
    const sender = requestId.toString('latin1', 0, senderBytes)
    const before = this.#service.connections.get(sender)
    if (before !== undefined && before !== this) before.#retired = true
    this.#service.connections.set(sender, this)
    const tell = (): void => this.#tell(requestId, this.#service.known.fateOf(requestId, sentAfter))
    this.#committer.submit({ requestId, ...neverHolds, settle: tell, fail: tell })
  }

  #submit(requestId: Buffer, sections: Buffer): void {
    const count = requestId.readUInt32BE(senderBytes)
    const checksEnd = 4 + sections.readUInt32BE(0)
    this.#committer.submit({
      requestId,
      checks: sections.subarray(4, checksEnd),
      operations: sections.subarray(checksEnd),
      settle: (result) => this.#settle(count, result),
      fail: (error) => this.#fail(count, error),
    })
  }

  #settle(count: number, result: CommitResult): void {
    this.#answer(frameKinds.answer, count, result.ok ? committed : refused, result.ok ? result.version : 0)
  }

  #fail(count: number, error: Error): void {
    const code = error instanceof MetadataError ? error.code : 'OutcomeUnknown'
    this.#answer(frameKinds.answer, count, firstErrorStatus + errorCodes.indexOf(code), 0, error.message)
  }

  #tell(requestId: Buffer, fate: Fate): void {
    const version = fate.kind === 'committed' ? fate.version : 0
    this.#answer(frameKinds.fate, requestId.readUInt32BE(senderBytes), fates.indexOf(fate.kind), version)
  }

  /** The answers of a batch are made in one turn, and written together. */
  #answer(kind: number, count: number, status: number, version: number, message = ''): void {
    const messageBytes = Buffer.byteLength(message)
    const frame = Buffer.allocUnsafe(frameHeaderBytes + answerBytes + messageBytes)
    let at = writeFrameHeader(frame, 0, answerBytes + messageBytes, kind)
    at = frame.writeUInt32BE(count, at)
    at = frame.writeUInt8(status, at)
    at = frame.writeUInt32BE(Math.floor(version / 2 ** 32), at)
    at = frame.writeUInt32BE(version % 2 ** 32, at)
    if (messageBytes > 0) frame.write(message, at)
    this.#answers.push(frame)
    if (this.#answers.length === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const answers = this.#answers
    this.#answers = []
    this.#write(answers.length === 1 && answers[0] !== undefined ? answers[0] : Buffer.concat(answers))
  }
}
