import { AssertionError } from '../../base/assert.ts'
import { BlobError, type BlobErrorCode } from '../blobs/blob-store.ts'
import { EngineError, type EngineErrorCode } from '../engine.ts'
import { MetadataError, type MetadataErrorCode } from '../metadata/metadata-store.ts'
import { ContentionError } from '../metadata/transact.ts'

/** `TooLarge` is missing: every caller bounds its keys and values, so it is our own mistake. */
const metadataCodes: Readonly<Record<Exclude<MetadataErrorCode, 'TooLarge'>, EngineErrorCode>> = {
  Corrupt: 'Corrupt',
  Full: 'StorageFull',
  Unwritable: 'Unwritable',
  OutcomeUnknown: 'OutcomeUnknown',
  Closed: 'Io',
}

const blobCodes: Readonly<Record<BlobErrorCode, EngineErrorCode>> = {
  NotFound: 'Corrupt',
  Corrupt: 'Corrupt',
  Full: 'StorageFull',
  Unwritable: 'Unwritable',
  Unreadable: 'Unreadable',
  Io: 'Io',
}

/** Errors of the stores as errors of the engine; everything else (the caller's own included) as it is. */
export function toEngineError(error: unknown): unknown {
  if (error instanceof ContentionError) return new EngineError('Contention', 'too many writers at once', {}, { cause: error })
  if (error instanceof BlobError) return new EngineError(blobCodes[error.code], error.message, {}, { cause: error })
  if (!(error instanceof MetadataError)) return error
  if (error.code === 'TooLarge') return new AssertionError(`a row is over the store's limits: ${error.message}`)
  return new EngineError(metadataCodes[error.code], error.message, {}, { cause: error })
}

export async function mapErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toEngineError(error)
  }
}

export async function* mapErrorsOf<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    throw toEngineError(error)
  }
}
