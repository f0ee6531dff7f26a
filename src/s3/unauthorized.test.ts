/** Walks all operations: none runs without a right to it. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { s3NeedsOf, s3OperationsWithNeeds, type S3Need } from '../policy/actions/s3-actions.ts'
import { s3Operation, s3Operations, type S3OperationName } from '../wire/s3-operations.ts'
import { operations } from './operations.ts'
import { accountRoot, allow, document, foreign, user } from './scratch-callers.ts'
import { openScratchServer, type ScratchAnswer, type ScratchRequest, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
beforeAll(async () => {
  server = await openScratchServer()
  server.callers.set('eve', accountRoot(foreign, 'eve'))
  for (const bucket of ['walk', 'source']) await server.send('PUT', `/${bucket}`)
  await server.send('PUT', '/walk/key', { body: 'x' })
  await server.send('PUT', '/source/key', { body: 'x' })
})
afterAll(() => server.close())

/** What of a request's parts has to be something. */
const samples: Readonly<Record<string, string>> = { CopySource: 'source/key', RenameSource: 'old', PartNumber: '1', ObjectAttributes: 'ETag', UploadId: 'u' }
const bodies: Readonly<Partial<Record<string, string>>> = {
  DeleteObjects: '<Delete><Object><Key>key</Key></Object></Delete>',
  PutObjectTagging: '<Tagging><TagSet/></Tagging>',
  PutBucketTagging: '<Tagging><TagSet/></Tagging>',
  PutObjectRetention: '<Retention><Mode>GOVERNANCE</Mode></Retention>',
  PutObjectLegalHold: '<LegalHold><Status>ON</Status></LegalHold>',
}

interface Sample extends ScratchRequest {
  readonly method: string
  readonly path: string
}

function sampleOf(name: S3OperationName): Sample {
  const { method, uri, input } = s3Operation(name)
  const [path = '', literals = ''] = uri.split('?')
  const query: Record<string, string> = Object.fromEntries(new URLSearchParams(literals))
  const headers: Record<string, string> = {}
  for (const { name: member, required, binding } of input.members) {
    if (!required) continue
    if (binding.to === 'query') query[binding.name] = samples[member] ?? 'x'
    if (binding.to === 'header') headers[binding.name.toLowerCase()] = samples[member] ?? 'x'
  }
  const bucket = name === 'ListBuckets' ? '' : name === 'CreateBucket' ? 'fresh' : 'walk'
  return { method, path: `/${bucket}${path.includes('{Key+}') ? '/key' : ''}`, query, headers, ...(bodies[name] === undefined ? {} : { body: bodies[name] }) }
}

const ask = { has: () => false, isVersioned: false, isSourceVersioned: false }
/** DeleteObjects needs nothing itself: its entry does. */
const needsOf = (name: string): readonly S3Need[] => s3NeedsOf(name === 'DeleteObjects' ? 'DeleteObject' : name, ask) ?? []

const send = ({ method, path, ...request }: Sample, who: ScratchRequest): Promise<ScratchAnswer> => server.send(method, path, { ...request, ...who })

/** A HEAD has no body to carry a code; DeleteObjects says it of each entry. */
function isDenied({ status, code, body }: ScratchAnswer, name: string): boolean {
  if (name === 'DeleteObjects') return status === 200 && body.includes('<Code>AccessDenied</Code>') && !body.includes('<Deleted>')
  return status === 403 && (code === 'AccessDenied' || body === '')
}

function resourceOf({ on }: S3Need, name: string): string {
  const bucket = name === 'CreateBucket' ? 'fresh' : 'walk'
  return { account: '*', bucket: `arn:aws:s3:::${bucket}`, object: 'arn:aws:s3:::walk/key', source: 'arn:aws:s3:::source/key', renameSource: 'arn:aws:s3:::walk/old' }[on]
}

const names = Object.keys(operations) as S3OperationName[]

test('every operation of the model has a row in the table, and every row is one', () => {
  const own = ['PostObject', 'CopyObjectTags']
  expect([...s3OperationsWithNeeds].filter(name => !own.includes(name)).toSorted()).toEqual(
    [...s3Operations.keys()].filter(name => !/Metadata(Table|Annotation|Inventory|Journal)?(Table)?Configuration$/.test(name)).toSorted(),
  )
})

describe.each(names)('%s', name => {
  it('does not run without a signature', async () => {
    expect(isDenied(await send(sampleOf(name), { signed: false }), name)).toBe(true)
  })

  it('does not run for another account', async () => {
    if (name === 'ListBuckets' || name === 'CreateBucket') return
    expect(isDenied(await send(sampleOf(name), { as: 'eve' }), name)).toBe(true)
  })

  it('does not run for a user without policies', async () => {
    server.callers.set('bob', user('bob', []))
    expect(isDenied(await send(sampleOf(name), { as: 'bob' }), name)).toBe(true)
  })

  it.each(needsOf(name))('does not run for a user who lacks exactly $action on $on', async need => {
    server.callers.set('bob', user('bob', [document({ Effect: 'Allow', NotAction: need.action, Resource: '*' })]))
    expect(isDenied(await send(sampleOf(name), { as: 'bob' }), name)).toBe(true)
    server.callers.set('bob', user('bob', [allow('*', '*'), document({ Effect: 'Deny', Action: need.action, Resource: resourceOf(need, name) })]))
    expect(isDenied(await send(sampleOf(name), { as: 'bob' }), name)).toBe(true)
  })

  it.each(needsOf(name))('does not run for a user who has $action on another resource than its $on', async need => {
    if (need.on === 'account') return
    const wrong = ['arn:aws:s3:::other', 'arn:aws:s3:::other/*', 'arn:aws:s3:::walk/other', 'arn:aws:s3:::walk/KEY', 'arn:aws:s3:::walk/key/', ...(need.on === 'bucket' ? ['arn:aws:s3:::walk/*'] : ['arn:aws:s3:::walk'])]
    server.callers.set('bob', user('bob', [document({ Effect: 'Allow', NotAction: need.action, Resource: '*' }, { Effect: 'Allow', Action: need.action, Resource: wrong })]))
    expect(isDenied(await send(sampleOf(name), { as: 'bob' }), name)).toBe(true)
  })

  it('runs, or fails for its own reasons, with exactly its actions on exactly its resources', async () => {
    const grants = needsOf(name).map(need => ({ Effect: 'Allow', Action: need.action, Resource: resourceOf(need, name) }))
    const toTellWhatIsMissing = { Effect: 'Allow', Action: 's3:ListBucket', Resource: ['arn:aws:s3:::walk', 'arn:aws:s3:::source'] }
    server.callers.set('bob', user('bob', [document(...grants, toTellWhatIsMissing)]))
    const answer = await send(destructive.has(name) ? { ...sampleOf(name), headers: { ...sampleOf(name).headers, 'x-amz-expected-bucket-owner': '111111111111' } } : sampleOf(name), { as: 'bob' })
    expect(isDenied(answer, name)).toBe(false)
    await server.send('PUT', '/walk/key', { body: 'x' })
  })
})

/** They say whose bucket they mean, as careful clients do. */
const destructive = new Set<string>(['DeleteObject', 'DeleteBucketTagging'])

test('nothing runs against another owner than the client expects', async () => {
  for (const name of names) {
    if (name === 'ListBuckets' || name === 'CreateBucket') continue
    const sample = sampleOf(name)
    const answer = await send({ ...sample, headers: { ...sample.headers, 'x-amz-expected-bucket-owner': '999999999999' } }, {})
    expect([name, answer.status]).toEqual([name, 403])
  }
})
