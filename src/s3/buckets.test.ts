import { afterEach, describe, expect, test } from 'vitest'
import { openScratchServer, type ScratchServer } from './scratch-server.ts'

const servers: ScratchServer[] = []
async function open(region?: string): Promise<ScratchServer> {
  const server = await openScratchServer(region === undefined ? {} : { region })
  servers.push(server)
  return server
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const create = (server: ScratchServer, bucket: string, constraint?: string) =>
  server.send('PUT', `/${bucket}`, { body: constraint === undefined ? '' : `<CreateBucketConfiguration><LocationConstraint>${constraint}</LocationConstraint></CreateBucketConfiguration>` })

describe('CreateBucket', () => {
  test('without a configured region takes any, and reports us-east-1', async () => {
    const server = await open()
    for (const [bucket, region] of [['none', undefined], ['ireland', 'eu-west-1'], ['older', 'EU'], ['own', 'us-east-1'], ['gov', 'us-gov-west-1']] as const) {
      expect((await create(server, bucket, region)).status).toBe(200)
      expect((await server.send('HEAD', `/${bucket}`)).headers['x-amz-bucket-region']).toBe('us-east-1')
    }
    expect(await create(server, 'nowhere', 'Atlantis')).toMatchObject({ status: 400, code: 'InvalidLocationConstraint' })
  })

  test('with one takes its own alone', async () => {
    const server = await open('eu-west-1')
    for (const [bucket, region] of [['none', undefined], ['own', 'eu-west-1'], ['older', 'EU']] as const) expect((await create(server, bucket, region)).status).toBe(200)
    expect(await create(server, 'foreign', 'eu-central-1')).toMatchObject({ status: 400, code: 'IllegalLocationConstraintException' })
    expect(await create(server, 'foreign', 'Atlantis')).toMatchObject({ status: 400, code: 'InvalidLocationConstraint' })
    expect((await server.send('GET', '/own', { query: { location: '' } })).body).toContain('>eu-west-1</LocationConstraint>')
    expect((await server.send('HEAD', '/foreign')).status).toBe(404)
  })

  test('again is nothing in us-east-1 and BucketAlreadyOwnedByYou elsewhere', async () => {
    const east = await open()
    await create(east, 'twice')
    expect((await create(east, 'twice')).status).toBe(200)
    const west = await open('us-west-2')
    await create(west, 'twice')
    expect(await create(west, 'twice', 'us-west-2')).toMatchObject({ status: 409, code: 'BucketAlreadyOwnedByYou' })
  })

  test.each(['ab', 'UPPER', 'under_score', '-dash', 'dash-', 'a..b', '192.168.0.1', 'xn--a', 'a-s3alias', 'x'.repeat(64)])('refuses the name %s', async name => {
    expect(await create(await open(), name)).toMatchObject({ status: 400, code: 'InvalidBucketName' })
  })

  test('takes object lock that is not wanted, and refuses it where it is', async () => {
    const server = await open()
    expect((await server.send('PUT', '/unlocked', { headers: { 'x-amz-bucket-object-lock-enabled': 'false' } })).status).toBe(200)
    expect(await server.send('PUT', '/locked', { headers: { 'x-amz-bucket-object-lock-enabled': 'true' } })).toMatchObject({ status: 501, code: 'NotImplemented' })
  })
})

test('DeleteBucket refuses while versions, markers or uploads are left', async () => {
  const server = await open()
  await create(server, 'full')
  await server.send('PUT', '/full', { query: { versioning: '' }, body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' })
  const refused = { status: 409, code: 'BucketNotEmpty' }
  const versionId = String((await server.send('PUT', '/full/key', { body: 'x' })).headers['x-amz-version-id'])
  const marker = String((await server.send('DELETE', '/full/key')).headers['x-amz-version-id'])
  expect(await server.send('DELETE', '/full')).toMatchObject(refused)
  await server.send('DELETE', '/full/key', { query: { versionId } })
  expect(await server.send('DELETE', '/full')).toMatchObject(refused)
  await server.send('DELETE', '/full/key', { query: { versionId: marker } })
  const uploadId = /<UploadId>([^<]*)</.exec((await server.send('POST', '/full/key', { query: { uploads: '' } })).body)?.[1] ?? ''
  expect(await server.send('DELETE', '/full')).toMatchObject(refused)
  await server.send('DELETE', '/full/key', { query: { uploadId } })
  expect((await server.send('DELETE', '/full')).status).toBe(204)
})

test('every answer has its ids', async () => {
  const server = await open()
  const answer = await server.send('GET', '/none')
  expect(answer.headers['x-amz-id-2']).toBe('host')
  expect(answer.body).toContain('<HostId>host</HostId>')
})
