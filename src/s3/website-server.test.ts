import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openScratchServer, websiteDomain } from './scratch-server.ts'
import type { ScratchRequest, ScratchServer } from './scratch-server.ts'

let server: ScratchServer
const host = `site.${websiteDomain}`
const visit = (path: string, options: ScratchRequest = {}, method = 'GET') => server.send(method, path, { ...options, headers: { host, ...options.headers } })

const configuration = `<WebsiteConfiguration>
  <IndexDocument><Suffix>index.html</Suffix></IndexDocument><ErrorDocument><Key>missing.html</Key></ErrorDocument>
  <RoutingRules><RoutingRule><Condition><KeyPrefixEquals>old/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect></RoutingRule>
  <RoutingRule><Condition><KeyPrefixEquals>moved/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect><HostName>elsewhere.example</HostName></Redirect></RoutingRule></RoutingRules>
</WebsiteConfiguration>`

beforeAll(async () => {
  server = await openScratchServer()
  for (const bucket of ['site', 'plain']) await server.send('PUT', `/${bucket}`)
  await server.send('PUT', '/site', { query: { website: '' }, body: configuration })
  const html = { 'content-type': 'text/html' }
  for (const key of ['index.html', 'folder/index.html', 'page', 'missing.html']) {
    await server.send('PUT', `/site/${key}`, { body: `the page ${key}`, headers: html })
  }
  await server.send('PUT', '/site/away', { headers: { 'x-amz-website-redirect-location': 'https://far.example/x' } })
})
afterAll(() => server.close())

describe('a signed visitor', () => {
  test('gets index documents, pages and the headers of objects', async () => {
    expect(await visit('/')).toMatchObject({ status: 200, body: 'the page index.html', headers: { 'content-type': 'text/html' } })
    expect(await visit('/folder/')).toMatchObject({ status: 200, body: 'the page folder/index.html' })
    expect(await visit('/page', { query: { utm: 'x' } })).toMatchObject({ status: 200, body: 'the page page' })
  })

  test('gets parts of pages, and 304 for what it has', async () => {
    expect(await visit('/page', { headers: { range: 'bytes=4-7' } })).toMatchObject({ status: 206, body: 'page', headers: { 'content-range': 'bytes 4-7/13' } })
    const { headers } = await visit('/page')
    expect(await visit('/page', { headers: { 'if-none-match': String(headers.etag) } })).toMatchObject({ status: 304, body: '' })
  })

  test('is sent on to a folder that was asked for without its slash', async () => {
    expect(await visit('/folder')).toMatchObject({ status: 302, headers: { location: '/folder/' } })
  })

  test('is redirected by rules, by errors and by objects', async () => {
    expect(await visit('/old/page')).toMatchObject({ status: 301, headers: { location: `http://${host}/new/page` } })
    expect(await visit('/moved/page')).toMatchObject({ status: 301, headers: { location: 'http://elsewhere.example/moved/page' } })
    expect(await visit('/away')).toMatchObject({ status: 301, headers: { location: 'https://far.example/x' } })
  })

  test('gets the error document under the error’s status, and HEAD without a body', async () => {
    expect(await visit('/none', { headers: { range: 'bytes=0-1' } })).toMatchObject({ status: 404, body: 'the page missing.html' })
    expect(await visit('/none', {}, 'HEAD')).toMatchObject({ status: 404, body: '' })
  })

  test('sees errors as HTML', async () => {
    const answer = await visit('/x', { headers: { host: `plain.${websiteDomain}` } })
    expect(answer).toMatchObject({ status: 404, headers: { 'content-type': 'text/html; charset=utf-8', 'x-amz-error-code': 'NoSuchWebsiteConfiguration' } })
    expect(answer.body).toContain('<li>BucketName: plain</li>')
    expect(await visit('/', { headers: { host: `none.${websiteDomain}` } })).toMatchObject({ status: 404, headers: { 'x-amz-error-code': 'NoSuchBucket' } })
    expect(await visit('/page', { headers: { range: 'bytes=99-' } })).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */13' } })
  })

  test('cannot write', async () => {
    for (const method of ['PUT', 'POST', 'DELETE']) expect(await visit('/page', {}, method)).toMatchObject({ status: 405 })
    expect(await visit('/page')).toMatchObject({ status: 200, body: 'the page page' })
  })
})

test('an anonymous visitor gets the website’s own redirects, and no object', async () => {
  for (const path of ['/', '/page', '/none', '/away']) {
    const answer = await visit(path, { signed: false })
    expect(answer).toMatchObject({ status: 403, headers: { 'x-amz-error-code': 'AccessDenied' } })
    expect(answer.headers.location).toBeUndefined()
  }
  expect(await visit('/old/page', { signed: false })).toMatchObject({ status: 301 })
})

test('an anonymous visitor gets what the bucket’s policy makes public, and is not told what is missing', async () => {
  const policy = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::site/*' } }
  expect(await server.send('PUT', '/site', { query: { policy: '' }, body: JSON.stringify(policy) })).toMatchObject({ status: 403, code: 'AccessDenied' })
  expect(await server.send('DELETE', '/site', { query: { publicAccessBlock: '' } })).toMatchObject({ status: 204 })
  expect(await server.send('PUT', '/site', { query: { policy: '' }, body: JSON.stringify(policy) })).toMatchObject({ status: 204 })
  expect(await visit('/page', { signed: false })).toMatchObject({ status: 200, body: 'the page page' })
  expect(await visit('/none', { signed: false })).toMatchObject({ status: 403 })
  expect(await server.send('GET', '/site/page', { signed: false })).toMatchObject({ status: 200 })
  expect(await server.send('GET', '/site/none', { signed: false })).toMatchObject({ status: 403, code: 'AccessDenied' })
  expect(await server.send('GET', '/site', { signed: false })).toMatchObject({ status: 403, code: 'AccessDenied' })
  await server.send('DELETE', '/site', { query: { policy: '' } })
  expect(await visit('/page', { signed: false })).toMatchObject({ status: 403 })
})

test('the same objects are S3’s under the other names', async () => {
  expect(await server.send('GET', '/site/none')).toMatchObject({ status: 404, code: 'NoSuchKey' })
})
