/** Bucket policies, access control lists, ownership and Block Public Access, and how they play together. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { blockNothing } from './bucket-access.ts'
import { accountRoot, allow, document, foreign, user } from './scratch-callers.ts'
import { account, openScratchServer, owner, type ScratchAnswer, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
beforeAll(async () => {
  server = await openScratchServer()
  server.callers.set('eve', accountRoot(foreign, 'eve'))
})
afterAll(() => server.close())

let bucket = ''
let made = 0
beforeEach(async () => {
  bucket = `b${++made}-bucket`
  await server.send('PUT', `/${bucket}`)
  await server.send('PUT', `/${bucket}/key`, { body: 'text' })
})

const arn = (key?: string): string => `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`
const putPolicy = (...statements: readonly object[]) => server.send('PUT', `/${bucket}`, { query: { policy: '' }, body: JSON.stringify(document(...statements)) })
const unblock = () => server.send('DELETE', `/${bucket}`, { query: { publicAccessBlock: '' } })
const own = (ownership: string) => server.send('PUT', `/${bucket}`, { query: { ownershipControls: '' }, body: `<OwnershipControls><Rule><ObjectOwnership>${ownership}</ObjectOwnership></Rule></OwnershipControls>` })
const get = (key: string, who: { as?: string; signed?: boolean } = {}, query: Record<string, string> = {}): Promise<ScratchAnswer> => server.send('GET', `/${bucket}/${key}`, { ...who, query })
const denied = { status: 403, code: 'AccessDenied' }
const nobody = { signed: false }
const everyone = (Action: string | readonly string[], Resource: string, more: object = {}) => ({ Effect: 'Allow', Principal: '*', Action, Resource, ...more })

describe('a bucket policy', () => {
  test('is put, read back as it was, and deleted', async () => {
    expect(await server.send('GET', `/${bucket}`, { query: { policy: '' } })).toMatchObject({ status: 404, code: 'NoSuchBucketPolicy' })
    expect((await putPolicy({ Effect: 'Allow', Principal: { AWS: foreign.accountId }, Action: 's3:GetObject', Resource: arn('*') })).status).toBe(204)
    const read = await server.send('GET', `/${bucket}`, { query: { policy: '' } })
    expect(JSON.parse(read.body)).toMatchObject({ Statement: [{ Principal: { AWS: foreign.accountId } }] })
    expect((await server.send('GET', `/${bucket}`, { query: { policyStatus: '' } })).body).toContain('<IsPublic>false</IsPublic>')
    expect((await server.send('DELETE', `/${bucket}`, { query: { policy: '' } })).status).toBe(204)
    expect(await get('key', { as: 'eve' })).toMatchObject(denied)
  })

  it.each<[string, () => object, string]>([
    ['another bucket', () => everyone('s3:GetObject', 'arn:aws:s3:::other/*'), 'Policy has invalid resource'],
    ['an unknown action', () => everyone('s3:Get', arn('*')), 'Policy has invalid action'],
    ['another service', () => everyone('iam:*', arn('*')), 'Policy has invalid action'],
    ['an action that is not of the resource', () => everyone('s3:ListBucket', arn('*')), 'Action does not apply to any resource(s) in statement'],
    ['an unknown condition key', () => everyone('s3:GetObject', arn('*'), { Condition: { StringEquals: { 's3:color': 'red' } } }), 'Policy has an invalid condition key'],
    ['no principal', () => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: arn('*') }), 'Missing required field Principal'],
    ['a wildcard in a principal', () => ({ ...everyone('s3:GetObject', arn('*')), Principal: { AWS: 'arn:aws:iam::*:root' } }), 'Invalid principal in policy'],
  ])('of %s is malformed', async (_name, statement, message) => {
    const answer = await putPolicy(statement())
    expect(answer).toMatchObject({ status: 400, code: 'MalformedPolicy' })
    expect(answer.body).toContain(message)
  })

  test('is refused with the position of what is wrong', async () => {
    const answer = await server.send('PUT', `/${bucket}`, { query: { policy: '' }, body: '{"Version": "2012-10-17",\n "Statement": [}' })
    expect(answer).toMatchObject({ status: 400, code: 'MalformedPolicy' })
    expect(answer.body).toContain('line 2, column 16')
  })

  test('grants to another account, whose users need its own policies too', async () => {
    await putPolicy({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${foreign.accountId}:root` }, Action: 's3:GetObject', Resource: arn('*') })
    expect((await get('key', { as: 'eve' })).status).toBe(200)
    server.callers.set('mallory', user('mallory', [], { of: foreign }))
    expect(await get('key', { as: 'mallory' })).toMatchObject(denied)
    server.callers.set('mallory', user('mallory', [allow('s3:GetObject', arn('*'))], { of: foreign }))
    expect((await get('key', { as: 'mallory' })).status).toBe(200)
    expect(await server.send('DELETE', `/${bucket}/key`, { as: 'mallory' })).toMatchObject(denied)
  })

  test('grants to a user of the account without a policy of its own, and its deny wins over all of them', async () => {
    server.callers.set('bob', user('bob', []))
    await putPolicy({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account.accountId}:user/bob` }, Action: 's3:GetObject', Resource: arn('*') })
    expect((await get('key', { as: 'bob' })).status).toBe(200)
    await putPolicy({ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [arn(), arn('*')] })
    server.callers.set('bob', user('bob', [allow('*', '*')]))
    expect(await get('key', { as: 'bob' })).toMatchObject(denied)
    expect(await get('key')).toMatchObject(denied)
    expect((await server.send('GET', `/${bucket}`, { query: { policy: '' } })).status).toBe(200)
    expect((await server.send('DELETE', `/${bucket}`, { query: { policy: '' } })).status).toBe(204)
    expect((await get('key')).status).toBe(200)
  })

  test('sees the request: prefix, tags of the object and of the request, headers', async () => {
    server.callers.set('bob', user('bob', [
      allow('s3:ListBucket', arn(), { Condition: { StringLike: { 's3:prefix': 'home/${aws:username}/*' } } }),
      allow('s3:GetObject', arn('*'), { Condition: { StringEquals: { 's3:ExistingObjectTag/team': 'red' } } }),
      allow(['s3:PutObject', 's3:PutObjectTagging'], arn('*'), { Condition: { 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['team'] } } }),
    ]))
    expect((await server.send('GET', `/${bucket}`, { as: 'bob', query: { prefix: 'home/bob/x' } })).status).toBe(200)
    expect(await server.send('GET', `/${bucket}`, { as: 'bob', query: { prefix: 'home/eve/' } })).toMatchObject(denied)
    expect(await server.send('GET', `/${bucket}`, { as: 'bob' })).toMatchObject(denied)
    expect(await get('key', { as: 'bob' })).toMatchObject(denied)
    await server.send('PUT', `/${bucket}/red`, { headers: { 'x-amz-tagging': 'team=red' } })
    expect((await get('red', { as: 'bob' })).status).toBe(200)
    expect((await server.send('PUT', `/${bucket}/mine`, { as: 'bob', headers: { 'x-amz-tagging': 'team=red' } })).status).toBe(200)
    expect(await server.send('PUT', `/${bucket}/mine`, { as: 'bob', headers: { 'x-amz-tagging': 'cost=1' } })).toMatchObject(denied)
    const tagging = (name: string) => `<Tagging><TagSet><Tag><Key>${name}</Key><Value>1</Value></Tag></TagSet></Tagging>`
    expect((await server.send('PUT', `/${bucket}/mine`, { as: 'bob', query: { tagging: '' }, body: tagging('team') })).status).toBe(200)
    expect(await server.send('PUT', `/${bucket}/mine`, { as: 'bob', query: { tagging: '' }, body: tagging('cost') })).toMatchObject(denied)
  })
})

describe('missing keys', () => {
  test('are 404 for whom may list the bucket, else 403', async () => {
    server.callers.set('bob', user('bob', [allow('s3:GetObject', arn('*'))]))
    expect(await get('none', { as: 'bob' })).toMatchObject(denied)
    expect((await server.send('HEAD', `/${bucket}/none`, { as: 'bob' })).status).toBe(403)
    expect(await server.send('PUT', `/${bucket}/copy`, { as: 'bob', headers: { 'x-amz-copy-source': `${bucket}/none` } })).toMatchObject(denied)
    server.callers.set('bob', user('bob', [allow('s3:GetObject', arn('*')), allow('s3:ListBucket', arn())]))
    expect(await get('none', { as: 'bob' })).toMatchObject({ status: 404, code: 'NoSuchKey' })
  })
})

describe('versions', () => {
  test('have actions of their own', async () => {
    await server.send('PUT', `/${bucket}`, { query: { versioning: '' }, body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' })
    const versionId = String((await server.send('PUT', `/${bucket}/v`, { body: 'x' })).headers['x-amz-version-id'])
    server.callers.set('bob', user('bob', [allow(['s3:GetObject', 's3:DeleteObject'], arn('*'))]))
    expect((await get('v', { as: 'bob' })).status).toBe(200)
    expect(await get('v', { as: 'bob' }, { versionId })).toMatchObject(denied)
    expect(await server.send('DELETE', `/${bucket}/v`, { as: 'bob', query: { versionId } })).toMatchObject(denied)
    const entries = `<Delete><Object><Key>v</Key><VersionId>${versionId}</VersionId></Object><Object><Key>w</Key></Object></Delete>`
    const deleted = await server.send('POST', `/${bucket}`, { as: 'bob', query: { delete: '' }, body: entries })
    expect(deleted.body).toContain('<Error><Key>v</Key>')
    expect(deleted.body).toContain('<Deleted><Key>w</Key>')
    server.callers.set('bob', user('bob', [allow('s3:GetObjectVersion', arn('*'))]))
    expect((await get('v', { as: 'bob' }, { versionId })).status).toBe(200)
  })
})

describe('Block Public Access', () => {
  test('refuses public policies until it is off, and disarms those that are there when it is on again', async () => {
    const open = everyone('s3:GetObject', arn('*'))
    expect(await putPolicy(open)).toMatchObject(denied)
    await unblock()
    expect(await server.send('GET', `/${bucket}`, { query: { publicAccessBlock: '' } })).toMatchObject({ status: 404, code: 'NoSuchPublicAccessBlockConfiguration' })
    expect((await putPolicy(open)).status).toBe(204)
    expect((await server.send('GET', `/${bucket}`, { query: { policyStatus: '' } })).body).toContain('<IsPublic>true</IsPublic>')
    expect((await get('key', nobody)).status).toBe(200)
    expect((await get('key', { as: 'eve' })).status).toBe(200)
    const restrict = '<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>'
    expect((await server.send('PUT', `/${bucket}`, { query: { publicAccessBlock: '' }, body: restrict })).status).toBe(200)
    expect(await get('key', nobody)).toMatchObject(denied)
    expect(await get('key', { as: 'eve' })).toMatchObject(denied)
    server.callers.set('bob', user('bob', []))
    expect((await get('key', { as: 'bob' })).status).toBe(200)
  })

  test('lets a policy stand that is narrowed to fixed values', async () => {
    expect((await putPolicy(everyone('s3:GetObject', arn('*'), { Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } }))).status).toBe(204)
    expect((await get('key', nobody)).status).toBe(200)
    expect(await putPolicy(everyone('s3:GetObject', arn('*'), { Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/1' } } }))).toMatchObject(denied)
    expect(await putPolicy(everyone('s3:GetObject', arn('*'), { Condition: { StringLike: { 'aws:PrincipalArn': '*' } } }))).toMatchObject(denied)
    expect(await putPolicy(everyone('s3:GetObject', arn('*'), { Condition: { StringEqualsIfExists: { 'aws:PrincipalArn': 'x' } } }))).toMatchObject(denied)
  })
})

describe('an account’s Block Public Access', () => {
  const control = (method: string, who: object = {}, body = '') => server.send(method, '/v20180820/configuration/publicAccessBlock', { headers: { 'x-amz-account-id': account.accountId }, body, ...who })
  const on = '<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>'

  test('is over all its buckets', async () => {
    const open = everyone('s3:GetObject', arn('*'))
    await unblock()
    expect((await putPolicy(open)).status).toBe(204)
    expect((await get('key', nobody)).status).toBe(200)
    expect(await control('GET')).toMatchObject({ status: 404, code: 'NoSuchPublicAccessBlockConfiguration' })
    expect((await control('PUT', {}, on)).status).toBe(200)
    expect((await control('GET')).body).toContain('<RestrictPublicBuckets>true</RestrictPublicBuckets>')
    expect(await get('key', nobody)).toMatchObject(denied)
    expect(await putPolicy(open)).toMatchObject(denied)
    expect((await control('DELETE')).status).toBe(204)
    expect((await get('key', nobody)).status).toBe(200)
  })

  test('is the account’s own', async () => {
    server.callers.set('bob', user('bob', [allow('s3:*', 'arn:aws:s3:::*/*')]))
    for (const who of [{ as: 'eve' }, { as: 'bob' }, nobody]) for (const method of ['GET', 'PUT', 'DELETE']) expect(await control(method, who, method === 'PUT' ? on : '')).toMatchObject(denied)
    server.callers.set('bob', user('bob', [allow('s3:PutAccountPublicAccessBlock', '*')]))
    expect((await control('PUT', { as: 'bob' }, on)).status).toBe(200)
    expect(await control('GET', { as: 'bob' })).toMatchObject(denied)
    expect((await control('DELETE', { as: 'bob' })).status).toBe(204)
    expect(await control('PUT', {}, '<PublicAccessBlockConfiguration><Other>true</Other></PublicAccessBlockConfiguration>')).toMatchObject({ status: 400, code: 'MalformedXML' })
  })
})

describe('access control lists', () => {
  test('are off in an owner-enforced bucket', async () => {
    expect(await server.send('PUT', `/${bucket}/key`, { headers: { 'x-amz-acl': 'public-read' } })).toMatchObject({ status: 400, code: 'AccessControlListNotSupported' })
    expect(await server.send('PUT', `/${bucket}`, { query: { acl: '' }, headers: { 'x-amz-acl': 'public-read' } })).toMatchObject({ status: 400, code: 'AccessControlListNotSupported' })
    expect(await server.send('PUT', '/another-bucket', { headers: { 'x-amz-acl': 'public-read' } })).toMatchObject({ status: 400, code: 'InvalidBucketAclWithObjectOwnership' })
  })

  test('make public what nothing blocks', async () => {
    await own('ObjectWriter')
    const publicRead = { headers: { 'x-amz-acl': 'public-read' } }
    expect(await server.send('PUT', `/${bucket}/key`, publicRead)).toMatchObject(denied)
    await unblock()
    expect((await server.send('PUT', `/${bucket}/open`, { ...publicRead, body: 'open' })).status).toBe(200)
    expect(await get('open', nobody)).toMatchObject({ status: 200, body: 'open' })
    expect(await get('key', nobody)).toMatchObject(denied)
    expect((await get('open', {}, { acl: '' })).body).toContain('http://acs.amazonaws.com/groups/global/AllUsers')
    expect((await server.send('PUT', `/${bucket}`, { query: { acl: '' }, ...publicRead })).status).toBe(200)
    expect((await server.send('GET', `/${bucket}`, nobody)).status).toBe(200)
    expect(await server.send('PUT', `/${bucket}/write`, nobody)).toMatchObject(denied)
    expect((await server.send('PUT', `/${bucket}`, { query: { acl: '' }, headers: { 'x-amz-acl': 'authenticated-read' } })).status).toBe(200)
    expect(await server.send('GET', `/${bucket}`, nobody)).toMatchObject(denied)
    expect((await server.send('GET', `/${bucket}`, { as: 'eve' })).status).toBe(200)
    const ignore = '<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>'
    await server.send('PUT', `/${bucket}`, { query: { publicAccessBlock: '' }, body: ignore })
    expect(await get('open', nobody)).toMatchObject(denied)
    expect(await server.send('GET', `/${bucket}`, { as: 'eve' })).toMatchObject(denied)
  })

  test('grant to another account by name, in headers and in documents', async () => {
    await own('BucketOwnerPreferred')
    expect((await server.send('PUT', `/${bucket}/given`, { body: 'x', headers: { 'x-amz-grant-read': `id="${foreign.id}"` } })).status).toBe(200)
    expect((await get('given', { as: 'eve' })).status).toBe(200)
    expect(await get('given', { as: 'eve' }, { acl: '' })).toMatchObject(denied)
    const acl = `<AccessControlPolicy><Owner><ID>${owner}</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${foreign.id}</ID></Grantee><Permission>READ_ACP</Permission></Grant></AccessControlList></AccessControlPolicy>`
    expect((await server.send('PUT', `/${bucket}/given`, { query: { acl: '' }, body: acl })).status).toBe(200)
    expect(await get('given', { as: 'eve' })).toMatchObject(denied)
    expect((await get('given', { as: 'eve' }, { acl: '' })).body).toContain('<Permission>READ_ACP</Permission>')
    const unknown = { headers: { 'x-amz-grant-read': `id="${'0'.repeat(64)}"` } }
    expect(await server.send('PUT', `/${bucket}/given`, unknown)).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect(await server.send('PUT', `/${bucket}/given`, { headers: { 'x-amz-acl': 'private', 'x-amz-grant-read': `id="${foreign.id}"` } })).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(await own('BucketOwnerEnforced')).toMatchObject({ status: 200 })
    expect(await get('given', { as: 'eve' }, { acl: '' })).toMatchObject(denied)
  })

  test('belong to the writer: the bucket’s owner reads another’s object only by its list', async () => {
    await own('ObjectWriter')
    await putPolicy({ Effect: 'Allow', Principal: { AWS: foreign.accountId }, Action: ['s3:PutObject', 's3:PutObjectAcl'], Resource: arn('*') })
    expect((await server.send('PUT', `/${bucket}/theirs`, { as: 'eve', body: 'x' })).status).toBe(200)
    expect(await get('theirs')).toMatchObject(denied)
    expect((await get('theirs', { as: 'eve' })).status).toBe(200)
    expect((await server.send('PUT', `/${bucket}/theirs`, { as: 'eve', query: { acl: '' }, headers: { 'x-amz-acl': 'bucket-owner-read' } })).status).toBe(200)
    expect((await get('theirs')).status).toBe(200)
    expect(await get('theirs', {}, { acl: '' })).toMatchObject(denied)
    await own('BucketOwnerPreferred')
    expect((await server.send('PUT', `/${bucket}/handed`, { as: 'eve', headers: { 'x-amz-acl': 'bucket-owner-full-control' } })).status).toBe(200)
    expect((await get('handed', {}, { acl: '' })).body).toContain(owner)
    expect(await get('handed', { as: 'eve' })).toMatchObject(denied)
    expect((await server.send('DELETE', `/${bucket}/theirs`)).status).toBe(204)
  })

  test('keep a bucket from being owner-enforced while it grants to others', async () => {
    await own('ObjectWriter')
    await server.send('PUT', `/${bucket}`, { query: { acl: '' }, headers: { 'x-amz-grant-write': `id="${foreign.id}"` } })
    expect((await server.send('PUT', `/${bucket}/by-eve`, { as: 'eve' })).status).toBe(200)
    expect(await own('BucketOwnerEnforced')).toMatchObject({ status: 400, code: 'InvalidBucketAclWithObjectOwnership' })
    await server.send('PUT', `/${bucket}`, { query: { acl: '' }, headers: { 'x-amz-acl': 'private' } })
    expect(await own('BucketOwnerEnforced')).toMatchObject({ status: 200 })
    expect((await server.send('DELETE', `/${bucket}`, { query: { ownershipControls: '' } })).status).toBe(204)
    expect(await server.send('GET', `/${bucket}`, { query: { ownershipControls: '' } })).toMatchObject({ status: 404, code: 'OwnershipControlsNotFoundError' })
  })

  test('copies have their own, never the source’s', async () => {
    await own('ObjectWriter')
    await unblock()
    await server.send('PUT', `/${bucket}/open`, { body: 'x', headers: { 'x-amz-acl': 'public-read' } })
    await server.send('PUT', `/${bucket}/copy`, { headers: { 'x-amz-copy-source': `${bucket}/open` } })
    expect(await get('copy', nobody)).toMatchObject(denied)
  })
})

test('the behaviour of before 2023 is a setting', async () => {
  const old = await openScratchServer({ newBucketDefaults: { ownership: 'ObjectWriter', publicAccessBlock: blockNothing } })
  try {
    expect((await old.send('PUT', '/old', { headers: { 'x-amz-acl': 'public-read' } })).status).toBe(200)
    await old.send('PUT', '/old/key', { body: 'x', headers: { 'x-amz-acl': 'public-read' } })
    expect((await old.send('GET', '/old', nobody)).status).toBe(200)
    expect((await old.send('GET', '/old/key', nobody)).status).toBe(200)
    expect((await old.send('GET', '/old', { query: { ownershipControls: '' } })).body).toContain('ObjectWriter')
  } finally {
    await old.close()
  }
})
