import * as client from '@aws-sdk/client-s3'
import { assert, must } from '../../base/assert.ts'
import { structureOf } from './shape.ts'
import type { Structure } from './shape.ts'

type Client = typeof client
type CommandName = Exclude<{ [K in keyof Client]: K extends `${infer Name}Command` ? Name : never }[keyof Client], '$'>

/** Every operation of the S3 service model, by AWS's name. */
export type S3OperationName = CommandName

type Command<N extends S3OperationName> = InstanceType<Client[`${N}Command`]>
type SdkInput<N extends S3OperationName> = Command<N>['input']
type SdkOutput<N extends S3OperationName> = Awaited<ReturnType<ReturnType<Command<N>['resolveMiddleware']>>>['output']

/** A request body that is not read by the wire: as it comes, or already collected. */
export type StreamedBody = AsyncIterable<Uint8Array> | Uint8Array

type Streamed = 'Body' | 'AnnotationPayload'
type WithStreams<T> = { [K in keyof T]: K extends Streamed ? StreamedBody | undefined : T[K] }

/** What a request says, as the SDK's command input; streams are ours. */
export type S3Input<N extends S3OperationName> = WithStreams<SdkInput<N>>

/**
 * What an operation answers, as the SDK's command output; streams are ours.
 * The lists of ListObjectVersions are written interleaved in the order that `$order` gives.
 */
export type S3Output<N extends S3OperationName> = Omit<WithStreams<SdkOutput<N>>, '$metadata'> & { $order?: readonly string[] }

export interface S3Operation {
  readonly name: S3OperationName
  readonly method: string
  /** The request path's template and literal query: `/{Key+}?uploads`. */
  readonly uri: string
  readonly status: number
  readonly input: Structure
  readonly output: Structure
}

export const s3Operations: ReadonlyMap<S3OperationName, S3Operation> = readOperations()

export function s3Operation(name: S3OperationName): S3Operation {
  return must(s3Operations.get(name), `the S3 model has no operation ${name}`)
}

function readOperations(): Map<S3OperationName, S3Operation> {
  const operations = new Map<S3OperationName, S3Operation>()
  for (const schema of Object.values(client)) {
    if (!isOperationSchema(schema)) continue
    const [, , name, traits, input, output] = schema
    assert(isOperationName(name), `the SDK has no command for ${name}`)
    const [method, uri, status] = httpTraitOf(traits)
    operations.set(name, { name, method, uri, status, input: structureOf(input), output: structureOf(output) })
  }
  return operations
}

type OperationSchema = typeof client.PutObject$

function isOperationSchema(value: unknown): value is OperationSchema {
  return Array.isArray(value) && value[0] === 9
}

function isOperationName(name: string): name is S3OperationName {
  return `${name}Command` in client
}

function httpTraitOf(traits: OperationSchema[3]): readonly [method: string, uri: string, status: number] {
  const http: unknown = typeof traits === 'object' ? traits.http : undefined
  assert(Array.isArray(http), 'an operation has an http trait')
  const [method, uri, status] = http as readonly unknown[]
  assert(typeof method === 'string' && typeof uri === 'string' && typeof status === 'number', 'an http trait is method, uri, status')
  return [method, uri, status]
}
