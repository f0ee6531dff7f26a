import { CatalogStoreError } from './catalog-store.ts'
import { badRequest, CatalogError } from './errors.ts'
import { JsonShapeError } from './json/decode.ts'
import { JsonSyntaxError } from './json/parse.ts'

/** Whatever went wrong as what a client is told; faults of ours are `InternalServer`. */
export function toCatalogError(error: unknown): CatalogError {
  if (error instanceof CatalogError) return error
  if (error instanceof JsonSyntaxError) return badRequest(`Malformed request: ${error.message}`)
  if (error instanceof JsonShapeError) return badRequest(error.message)
  if (!(error instanceof CatalogStoreError)) return new CatalogError('InternalServer', 'Internal error', { cause: error })
  switch (error.code) {
    case 'FileNotFound':
      return new CatalogError('NotFound', error.message, { cause: error })
    case 'BadLocation':
      return new CatalogError('BadRequest', error.message, { cause: error })
    case 'FileTooLarge':
      return new CatalogError('Validation', error.message, { cause: error })
    case 'Unavailable':
      return new CatalogError('ServiceUnavailable', 'Nothing was done; try again', { cause: error })
    case 'StorageFull':
      return new CatalogError('StorageFull', 'Nothing was done: no space left', { cause: error })
    case 'OutcomeUnknown':
      return new CatalogError('CommitStateUnknown', 'The change may or may not have been made', { cause: error })
  }
}
