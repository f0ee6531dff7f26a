import type { SeededRandom } from '../../base/seeded-random.ts'
import type { WriteConditions } from '../engine.ts'
import type { KnownVersion, NamedPart, Operation, Outcome, Piece, Place } from './operation.ts'
import { etagOfPiece } from './operation.ts'

export const buckets = ['plain', 'versioned'] as const
const keys = ['a', 'a/b', 'b', 'c'] as const
const sizes = [0, 1, 150, 201, 1000, 5000, 9000] as const

interface KnownUpload extends Place {
  readonly uploadId: string
  readonly parts: NamedPart[]
}

/** What the clients have learned, and what they do next. */
export class Chooser {
  readonly #random: SeededRandom
  #pieces = 0
  #versions: KnownVersion[] = []
  #uploads: KnownUpload[] = []

  constructor(random: SeededRandom) {
    this.#random = random
  }

  next(): Operation {
    const place = this.#place()
    const pick = this.#random.integer(100)
    if (pick < 24) return { op: 'put', ...place, content: this.#piece(), ...this.#conditions() }
    if (pick < 29) return this.#compose(place)
    if (pick < 38) return { op: 'delete', ...place, ...this.#versionId(place, 0.5), ...this.#deleteConditions() }
    if (pick < 46) return { op: 'copy', ...place, source: this.#source(), ...this.#conditions() }
    if (pick < 50) return { op: 'rename', ...place, sourceKey: this.#random.pick(keys) }
    if (pick < 57) return { op: 'append', ...place, offsetBytes: this.#offset(place), content: this.#piece() }
    if (pick < 60) return { op: 'tag', ...place, ...this.#versionId(place, 0.5), tags: { n: String(this.#pieces++) } }
    if (pick < 63) return { op: 'versioning', bucket: 'versioned', status: this.#random.pick(['Enabled', 'Enabled', 'Suspended'] as const) }
    if (pick < 66) return this.#transact(place)
    if (pick < 84) return this.#uploadStep(place)
    if (pick < 86) return { op: 'list', ...place }
    if (pick < 94) return { op: 'get', ...place, ...this.#versionId(place, 0.4) }
    return { op: 'maintain', what: this.#random.pick(['collectGarbage', 'collectGarbage', 'sweepOrphans', 'trimOutbox'] as const) }
  }

  /** Takes note of what an operation made. */
  learn(operation: Operation, outcome: Outcome): void {
    if (outcome.kind === 'begun' && operation.op === 'createUpload') {
      this.#uploads.push({ bucket: operation.bucket, key: operation.key, uploadId: outcome.uploadId, parts: [] })
    }
    if (outcome.kind === 'part' && (operation.op === 'putPart' || operation.op === 'copyPart')) {
      const upload = this.#uploads.find(({ uploadId }) => uploadId === operation.uploadId)
      upload?.parts.push({ partNumber: operation.partNumber, etag: outcome.etag })
    }
    if (outcome.kind === 'created' && operation.op === 'put') {
      const { bucket, key, content } = operation
      const [versionId = 'null'] = outcome.versionIds
      this.#versions.push({ bucket, key, versionId, content })
    }
  }

  #place(): Place {
    return { bucket: this.#random.pick(buckets), key: this.#random.pick(keys) }
  }

  #piece(): Piece {
    return { name: `p${this.#pieces++}`, sizeBytes: this.#random.pick(sizes) }
  }

  #known({ bucket, key }: Place): KnownVersion[] {
    return this.#versions.filter((version) => version.bucket === bucket && version.key === key)
  }

  #versionId(place: Place, probability: number): { versionId?: string } {
    if (!this.#random.chance(probability)) return {}
    const ids = ['null', ...this.#known(place).map(({ versionId }) => versionId)]
    return { versionId: this.#random.pick(ids) }
  }

  #etag(): string {
    return this.#versions.length === 0 ? 'unknown' : etagOfPiece(this.#random.pick(this.#versions.slice(-6)).content)
  }

  #conditions(): { conditions?: WriteConditions } {
    const pick = this.#random.integer(10)
    if (pick < 6) return {}
    if (pick < 8) return { conditions: { ifNoneMatch: ['*'] } }
    return { conditions: { ifMatch: [this.#etag(), this.#etag()] } }
  }

  #deleteConditions(): { conditions?: { ifMatch: readonly string[] } } {
    return this.#random.chance(0.7) ? {} : { conditions: { ifMatch: [this.#etag(), this.#etag()] } }
  }

  #source(): Place & { versionId?: string } {
    if (this.#versions.length === 0 || this.#random.chance(0.5)) return this.#place()
    const { bucket, key, versionId } = this.#random.pick(this.#versions.slice(-10))
    return { bucket, key, versionId }
  }

  /** Often the end of what was last put there, sometimes wrong. */
  #offset(place: Place): number {
    const known = this.#known(place)
    const last = known[known.length - 1]
    return last === undefined || this.#random.chance(0.2) ? 0 : last.content.sizeBytes
  }

  #transact({ bucket, key }: Place): Operation {
    const other = this.#random.pick(keys.filter((each) => each !== key))
    return { op: 'transact', bucket, objects: [key, other].map((each) => ({ key: each, content: this.#piece() })) }
  }

  #compose(place: Place): Operation {
    const sourceKey = this.#random.pick(keys)
    return { op: 'compose', ...place, sourceKey, first: this.#piece(), shareable: this.#piece(), last: this.#piece() }
  }

  #uploadStep(place: Place): Operation {
    if (this.#uploads.length === 0 || this.#random.chance(0.2)) return { op: 'createUpload', ...place }
    const { parts, ...upload } = this.#random.pick(this.#uploads.slice(-4))
    const partNumber = 1 + this.#random.integer(3)
    const pick = this.#random.integer(10)
    if (pick < 5) return { op: 'putPart', ...upload, partNumber, content: this.#piece() }
    if (pick < 6) {
      const sources = this.#versions.filter(({ versionId }) => versionId !== 'null').slice(-6)
      if (sources.length > 0) return { op: 'copyPart', ...upload, partNumber, source: this.#random.pick(sources) }
    }
    if (pick < 7) return { op: 'abort', ...upload }
    return { op: 'complete', ...upload, parts: latestParts(parts), ...this.#conditions() }
  }
}

/** The newest known part of each number; none known is part 1 with an ETag that nothing has. */
function latestParts(parts: readonly NamedPart[]): NamedPart[] {
  const byNumber = new Map(parts.map((part) => [part.partNumber, part]))
  const named = [...byNumber.values()].sort((a, b) => a.partNumber - b.partNumber)
  return named.length === 0 ? [{ partNumber: 1, etag: 'unknown' }] : named
}
