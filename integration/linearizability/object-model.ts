/** One key of a bucket without versions, as S3 describes it: what conditional writes, deletes and reads of it answer. */
import type { Model, Operation } from './checker.ts'

export type KeyInput =
  | { readonly op: 'put'; readonly etag: string; readonly ifMatch?: string; readonly ifNoneMatch?: '*' }
  | { readonly op: 'delete'; readonly ifMatch?: string }
  /** A GET, or the key's place in a listing. */
  | { readonly op: 'read' }

export type KeyOutput =
  | { readonly kind: 'done' }
  /** 412, and 404 of a condition on an object that is not there. */
  | { readonly kind: 'refused'; readonly because: 'PreconditionFailed' | 'NoSuchKey' }
  | { readonly kind: 'seen'; readonly etag: string | undefined }

export type KeyOperation = Operation<KeyInput, KeyOutput>

/** The state is the object's ETag, undefined where there is none. */
export const objectModel: Model<string | undefined, KeyInput, KeyOutput> = {
  initial: undefined,
  describe: etag => etag ?? '',
  step(state, input, output) {
    if (input.op === 'read') return output === undefined || (output.kind === 'seen' && output.etag === state) ? { state } : undefined
    const refusal = refusalOf(state, input)
    if (refusal !== undefined) return output === undefined || (output.kind === 'refused' && output.because === refusal) ? { state } : undefined
    if (output !== undefined && output.kind !== 'done') return undefined
    return { state: input.op === 'put' ? input.etag : undefined }
  },
}

function refusalOf(state: string | undefined, input: Exclude<KeyInput, { readonly op: 'read' }>): 'PreconditionFailed' | 'NoSuchKey' | undefined {
  if (input.op === 'put' && input.ifNoneMatch === '*' && state !== undefined) return 'PreconditionFailed'
  if (input.ifMatch === undefined || input.ifMatch === state) return undefined
  return state === undefined ? 'NoSuchKey' : 'PreconditionFailed'
}
