import * as iamClient from '@aws-sdk/client-iam'
import * as stsClient from '@aws-sdk/client-sts'
import { assert, must } from '../../base/assert.ts'
import { structureOf } from './shape.ts'
import type { Structure } from './shape.ts'

type Iam = typeof iamClient
type Sts = typeof stsClient

type CommandName<Client> = Exclude<{ [K in keyof Client]: K extends `${infer Name}Command` ? Name : never }[keyof Client], '$'>
type Command<Client, N extends string> = `${N}Command` extends keyof Client ? (Client[`${N}Command`] extends abstract new (...args: never[]) => infer Made ? Made : never) : never
type Input<Client, N extends string> = Command<Client, N> extends { readonly input: infer I } ? I : never
type Output<Client, N extends string> =
  Command<Client, N> extends { resolveMiddleware(...args: never[]): (...args: never[]) => Promise<{ output: infer O }> } ? Omit<O & object, '$metadata'> : never

/** Every operation of the IAM and STS service models, by AWS's name. */
export type IamOperationName = CommandName<Iam>
export type StsOperationName = CommandName<Sts>
export type IamInput<N extends IamOperationName> = Input<Iam, N>
export type IamOutput<N extends IamOperationName> = Output<Iam, N>
export type StsInput<N extends StsOperationName> = Input<Sts, N>
export type StsOutput<N extends StsOperationName> = Output<Sts, N>

export interface QueryOperation {
  readonly name: string
  readonly input: Structure
  readonly output: Structure
}

/** A service of AWS's query protocol: its version, which tells it from others, and all operations of its model. */
export interface QueryModel {
  readonly version: string
  readonly namespace: string
  readonly operations: ReadonlyMap<string, QueryOperation>
}

/** Parameters of MinIO's own operations. */
const minioOperations: Readonly<Record<string, readonly string[]>> = {
  AssumeRoleWithLDAPIdentity: ['LDAPUsername', 'LDAPPassword', 'Policy', 'DurationSeconds'],
  AssumeRoleWithCertificate: ['Policy', 'DurationSeconds'],
  AssumeRoleWithCustomToken: ['Token', 'RoleArn', 'Policy', 'DurationSeconds'],
}

export const iamModel: QueryModel = { version: '2010-05-08', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/', operations: readOperations(iamClient) }
export const stsModel: QueryModel = { version: '2011-06-15', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/', operations: stsOperations() }

export function queryOperation({ operations }: QueryModel, name: string): QueryOperation {
  return must(operations.get(name), `the model has no operation ${name}`)
}

function readOperations(client: object): Map<string, QueryOperation> {
  const operations = new Map<string, QueryOperation>()
  for (const schema of Object.values(client) as unknown[]) {
    if (!isOperationSchema(schema)) continue
    const [, , name, , input, output] = schema
    operations.set(name, { name, input: structureOf(input), output: structureOf(output) })
  }
  assert(operations.size > 0, 'a service model has operations')
  return operations
}

/** MinIO's ways to sign in beside AWS's, by its names and parameters; and without a role, which AWS's require. */
function stsOperations(): Map<string, QueryOperation> {
  const operations = readOperations(stsClient)
  for (const name of ['AssumeRole', 'AssumeRoleWithWebIdentity']) {
    const operation = must(operations.get(name), 'the model of STS has the operation')
    operations.set(name, { ...operation, input: withOptional(operation.input, ['RoleArn', 'RoleSessionName']) })
  }
  const output = must(operations.get('GetSessionToken'), 'the model of STS has GetSessionToken').output
  for (const [name, members] of Object.entries(minioOperations)) operations.set(name, { name, input: textsOf(`${name}Request`, members), output: { ...output, name: `${name}Response` } })
  return operations
}

function withOptional(structure: Structure, names: readonly string[]): Structure {
  return { ...structure, members: structure.members.map(member => (names.includes(member.name) ? { ...member, required: false } : member)) }
}

function textsOf(name: string, members: readonly string[]): Structure {
  const text = { required: false, binding: { to: 'body' }, flattened: false, attribute: false, namespace: undefined, streaming: false } as const
  return {
    kind: 'structure', name, xmlName: undefined, union: false,
    members: members.map(member => ({ ...text, name: member, element: member, shape: { kind: member === 'DurationSeconds' ? 'number' : 'string' } })),
  }
}

type OperationSchema = typeof iamClient.CreateUser$

function isOperationSchema(value: unknown): value is OperationSchema {
  return Array.isArray(value) && value[0] === 9
}
