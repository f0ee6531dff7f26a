/**
 * CatalogError: what a catalog operation answers when it does not succeed. The codes are the
 * exception types of the Iceberg REST specification, without their `Exception`.
 */
export type CatalogErrorCode = keyof typeof errorStatuses

/**
 * The status of each error. What clients conclude decides the number: 409 is refreshed and retried,
 * 500, 502 and 504 mean that a commit may have happened, 503 with Retry-After that nothing was done.
 * A definite failure is therefore never a 5xx.
 */
export const errorStatuses = {
  BadRequest: 400,
  IllegalArgument: 400,
  Validation: 400,
  /** No space left, nothing was done: 400 is the one status after which a Java writer removes its new files. */
  StorageFull: 400,
  NotAuthorized: 401,
  Forbidden: 403,
  NoSuchWarehouse: 404,
  NoSuchNamespace: 404,
  NoSuchTable: 404,
  NoSuchView: 404,
  NoSuchFunction: 404,
  NoSuchPlanId: 404,
  NoSuchPlanTask: 404,
  /** A file that metadata refers to is gone, or there is no such route. */
  NotFound: 404,
  UnsupportedOperation: 406,
  AlreadyExists: 409,
  NamespaceNotEmpty: 409,
  WarehouseNotEmpty: 409,
  CommitFailed: 409,
  /** Dropping what is protected. */
  Protected: 409,
  /** The request is larger than this server takes. */
  ContentTooLarge: 413,
  UnprocessableEntity: 422,
  InternalServer: 500,
  CommitStateUnknown: 500,
  ServiceUnavailable: 503,
  /** Too many requests; nothing was done. */
  SlowDown: 503,
} as const

/** Messages name what a client sent; more of it than this is cut off. */
const maxMessageLength = 2000

export class CatalogError extends Error {
  override readonly name = 'CatalogError'
  readonly code: CatalogErrorCode

  constructor(code: CatalogErrorCode, message: string, options?: ErrorOptions) {
    super(message.length > maxMessageLength ? `${message.slice(0, maxMessageLength - 1)}…` : message, options)
    this.code = code
  }

  get status(): number {
    return errorStatuses[this.code]
  }

  /** The `type` of the error body. */
  get type(): string {
    return this.code === 'InternalServer' ? 'InternalServerError' : `${this.code}Exception`
  }
}

export interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly code: number }
}

export function errorBody(error: CatalogError): ErrorBody {
  return { error: { message: error.message, type: error.type, code: error.status } }
}

export function badRequest(message: string): CatalogError {
  return new CatalogError('BadRequest', message)
}

/** An argument that the reference refuses as such: its clients report it by that name. */
export function illegalArgument(message: string): CatalogError {
  return new CatalogError('IllegalArgument', message)
}

/** A value that the table format forbids. */
export function validationError(message: string): CatalogError {
  return new CatalogError('Validation', message)
}
