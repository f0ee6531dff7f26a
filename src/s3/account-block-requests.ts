import { parseXml } from '../wire/parse-xml.ts'
import { S3Error } from '../wire/errors.ts'
import { readAccountBlock, writeAccountBlock } from './account-public-access.ts'
import { send } from './answer.ts'
import { blockNothing, type PublicAccessBlock } from './bucket-access.ts'
import { collectedBody } from './request-body.ts'
import type { Caller } from '../identity/caller.ts'
import type { Authentication } from '../sigv4/authenticate.ts'
import type { Exchange } from './exchange.ts'
import type { S3Service } from './operation.ts'
import type { S3RequestFacts } from './request-facts.ts'

const path = '/v20180820/configuration/publicAccessBlock'
const bodyLimitBytes = 4096

/** A request of S3 Control, told from one for a bucket `v20180820` by the account's id that it must name. */
export const isAccountBlockRequest = ({ path: asked, request }: Exchange): boolean => asked === path && request.headers['x-amz-account-id'] !== undefined

/**
 * An account's own Block Public Access, over all its buckets:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html, and Get and Delete.
 * Commit point: the row's. Errors: AccessDenied (another account's), NoSuchPublicAccessBlockConfiguration, MalformedXML.
 */
export async function serveAccountBlock(exchange: Exchange, service: S3Service, { facts, authentication }: { readonly facts: S3RequestFacts; readonly authentication: Authentication }): Promise<void> {
  const { method, response, request } = exchange
  if (method !== 'GET' && method !== 'PUT' && method !== 'DELETE') throw new S3Error('MethodNotAllowed', undefined, { Method: method })
  const accountId = ownAccount(facts.caller, request.headers['x-amz-account-id'])
  await service.authorizer.require(facts, [{ action: method === 'GET' ? 's3:GetAccountPublicAccessBlock' : 's3:PutAccountPublicAccessBlock' }])
  if (method === 'GET') {
    const block = await readAccountBlock(service.engine, accountId)
    if (block === undefined) throw new S3Error('NoSuchPublicAccessBlockConfiguration')
    await send(response, { status: 200, headers: { 'Content-Type': 'application/xml' }, body: document(block) }, false)
    return
  }
  const body = await collectedBody({ request, authentication, proceed: () => response.writeContinue() }, { limitBytes: bodyLimitBytes, ownChecksums: true })
  await writeAccountBlock(service.engine, accountId, method === 'PUT' ? blockIn(body) : undefined)
  await send(response, { status: method === 'PUT' ? 200 : 204, headers: {}, body: undefined }, false)
}

function ownAccount({ account }: Caller, asked: string | readonly string[] | undefined): string {
  if (account.accountId === '' || asked !== account.accountId) throw new S3Error('AccessDenied')
  return account.accountId
}

/** What is not named is off; a name or value that is none is refused. */
function blockIn(body: Uint8Array): PublicAccessBlock {
  const root = parseXml(body)
  if (root.name !== 'PublicAccessBlockConfiguration') throw new S3Error('MalformedXML')
  const named: Record<string, boolean> = {}
  for (const { name, text } of root.children) {
    if (!Object.hasOwn(blockNothing, name) || !/^(true|false)$/i.test(text)) throw new S3Error('MalformedXML')
    named[name] = text.toLowerCase() === 'true'
  }
  return { ...blockNothing, ...named }
}

function document(block: PublicAccessBlock): string {
  const members = Object.entries(block).map(([name, value]) => `<${name}>${value}</${name}>`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<PublicAccessBlockConfiguration>${members.join('')}</PublicAccessBlockConfiguration>`
}
