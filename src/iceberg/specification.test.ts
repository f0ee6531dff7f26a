import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { endpoints, errorStatuses, tableUpdateActions, viewUpdateActions, type Endpoint } from '../../catalog/index.ts'

/** The specification's own file is not ours to keep: where it lies, if it is there, the environment says. */
const location = 'MORAINE_ICEBERG_OPENAPI'
const file = process.env[location]

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: { readonly $ref: string } }>> }
  readonly responses: Readonly<Record<string, unknown>>
}

interface Parameter {
  readonly $ref?: string
  readonly in?: string
  readonly name?: string
}

interface Specification {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>> & { readonly parameters?: unknown }>>
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>>; readonly schemas: Readonly<Record<string, { readonly discriminator?: { readonly mapping: Readonly<Record<string, string>> } }>> }
}

const none: Specification = { paths: {}, components: { parameters: {}, schemas: {} } }
const lastPart = (ref: string | undefined): string => ref?.split('/').at(-1) ?? ''
const methods = ['get', 'post', 'head', 'delete']

test('there are 35 operations', () => {
  expect(Object.keys(endpoints)).toHaveLength(35)
})

test('the specification is at hand', ({ skip }) => {
  skip(file === undefined, `not compared with the specification: ${location} does not name its file`)
  expect(file).toBeDefined()
})

describe.skipIf(file === undefined)('the table of operations agrees with the specification', () => {
  const specification = file === undefined ? none : (parse(readFileSync(file, 'utf8')) as Specification)
  const specified = Object.entries(specification.paths).flatMap(([path, operations]) =>
    methods.filter((method) => operations[method] !== undefined).map((method) => ({ path, method, operation: operations[method] as Operation, shared: (operations.parameters ?? []) as readonly Parameter[] })))

  test('it has the same operations', () => {
    expect(specified.map(({ operation }) => operation.operationId).sort()).toEqual(Object.keys(endpoints).sort())
  })

  test.each(specified.map((entry) => [entry.operation.operationId, entry] as const))('%s', (operationId, { path, method, operation, shared }) => {
    const ours = (endpoints as Record<string, Endpoint>)[operationId]
    const body = Object.values(operation.requestBody?.content ?? {})[0]
    const statuses = Object.keys(operation.responses)
    expect(ours).toMatchObject({ method: method.toUpperCase(), path })
    expect(ours?.idempotent).toBe(operation.parameters?.some((parameter) => lastPart(parameter.$ref) === 'idempotency-key') ?? false)
    const parameters = [...shared, ...(operation.parameters ?? [])].map((parameter) => (parameter.$ref === undefined ? parameter : specification.components.parameters[lastPart(parameter.$ref)] ?? {}))
    const namesIn = (place: string): string[] => parameters.flatMap((parameter) => (parameter.in === place ? parameter.name ?? [] : [])).sort()
    expect(ours?.query.toSorted()).toEqual(namesIn('query'))
    expect(ours?.headers.toSorted()).toEqual(namesIn('header').map((name) => name.toLowerCase()).filter((name) => name !== 'idempotency-key'))
    expect(ours?.request).toBe(body === undefined ? undefined : lastPart(body.schema.$ref))
    expect(statuses).toContain(String(ours?.successStatus))
    for (const error of ours?.errors ?? []) expect(statuses).toContain(String(errorStatuses[error]))
  })

  test('all updates are known', () => {
    const mapping = Object.keys(specification.components.schemas['BaseUpdate']?.discriminator?.mapping ?? {})
    expect([...new Set([...tableUpdateActions, ...viewUpdateActions])].sort()).toEqual(mapping.sort())
  })
})
