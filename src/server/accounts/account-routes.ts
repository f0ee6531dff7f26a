import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { KiB } from '../../../base/units.ts'
import type { OwnerUsage } from '../../../engine/index.ts'
import { readQuotas, type AccountQuotas } from '../../identity/account-quotas.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import { rootAccountName, type AccountRecord } from '../../identity/identity-records.ts'
import type { IdentityStore } from '../../identity/identity-store.ts'
import { isOperator, type OperatorKeys } from '../operator.ts'

export interface AccountRoutesOptions extends OperatorKeys {
  readonly identity: IdentityStore
  /** What is stored, by canonical user id. */
  readonly usageOf: (ownerId: string) => Promise<OwnerUsage>
}

const accounts = '/_moraine/v1/accounts'
const bodyLimitBytes = 16 * KiB
const pageAccounts = 1000
const maxRootKeys = 2

type Members = Readonly<Record<string, unknown>>

/**
 * Accounts (tenants) for the operator, as JSON, signed by the root key as a request of S3 is: `GET` and `POST
 * /_moraine/v1/accounts`, `GET` and `PATCH …/NAME`, `POST …/NAME/access-keys`. Secrets are in the answers that make them,
 * and in no other.
 */
export function registerAccountRoutes(app: FastifyInstance, options: AccountRoutesOptions): Promise<void> {
  const { identity, clock, usageOf } = options
  const view = async (account: AccountRecord) => ({ ...described(account), usage: await usageOf(account.id) })
  return Promise.resolve(app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyLimitBytes }, (_request, body, done) => done(null, body))
    scope.addHook('preHandler', async (request, reply) => ((await isOperator(request, options)) ? undefined : refuse(reply, 403, 'AccessDenied', 'Access Denied.')))
    scope.setErrorHandler((error, _request, reply) => {
      if (error instanceof IdentityError) return refuse(reply, error.code === 'NoSuchAccount' ? 404 : 409, error.code, error.message)
      if (error instanceof InvalidMember) return refuse(reply, 400, 'InvalidArgument', error.message)
      throw error
    })
    scope.get(accounts, async ({ query }) => {
      const { after } = query as { readonly after?: string }
      const page = await identity.listAccounts({ ...(after === undefined ? {} : { after }), limit: pageAccounts })
      return { accounts: await Promise.all(page.map(view)), ...(page.length < pageAccounts ? {} : { next: page.at(-1)?.name }) }
    })
    scope.post(accounts, async (request, reply) => {
      const { name, displayName = name, email = '', quotas } = membersOf(request, { name: namePattern, displayName: /^.{1,256}$/, email: /^([^\s@]+@[^\s@]+)?$/ })
      if (name === undefined || displayName === undefined) throw new InvalidMember('name is needed')
      if ((await identity.getAccount(name)) !== undefined) return refuse(reply, 409, 'AccountAlreadyExists', `there is an account ${name}`)
      const account = await identity.ensureAccount({ name, displayName, email, ...(quotas === undefined ? {} : { quotas }) })
      return reply.code(201).send({ ...(await view(account)), accessKey: await newKey(identity, account) })
    })
    scope.get(`${accounts}/:name`, async ({ params }) => view(await existing(identity, params)))
    scope.patch(`${accounts}/:name`, async (request) => {
      const { name } = await existing(identity, request.params)
      const { status, sessions, quotas } = membersOf(request, { status: /^(Enabled|Disabled)$/, sessions: /^revoke$/ })
      if (name === rootAccountName && status === 'Disabled') throw new InvalidMember('the root account is switched off by MORAINE_ROOT_ACCESS')
      if (name === rootAccountName && quotas !== undefined) throw new InvalidMember('the root account has no quotas')
      const change = { ...(quotas === undefined ? {} : { quotas }), ...(status === undefined ? {} : { status: status as 'Enabled' | 'Disabled' }), ...(sessions === undefined ? {} : { revokedBeforeMs: clock.nowMs() + 1 }) }
      return view(await identity.changeAccount(name, change))
    })
    scope.post(`${accounts}/:name/access-keys`, async ({ params }, reply) => reply.code(201).send(await newKey(identity, await existing(identity, params))))
  })).then(() => undefined)
}

class InvalidMember extends Error {
  override readonly name = 'InvalidMember'
}

const namePattern = /^[\w+=,.@-]{1,64}$/

function described({ name, id, accountId, displayName, email, status = 'Enabled', quotas = {} }: AccountRecord) {
  return { name, accountId, canonicalUserId: id, displayName, email, status, quotas }
}

async function existing(identity: IdentityStore, params: unknown): Promise<AccountRecord> {
  const { name } = params as { readonly name: string }
  const account = namePattern.test(name) ? await identity.getAccount(name) : undefined
  if (account === undefined) throw new IdentityError('NoSuchAccount', 'there is no such account')
  return account
}

async function newKey(identity: IdentityStore, { name, accountId }: AccountRecord) {
  const { accessKeyId, secretAccessKey } = await identity.accessKeys.create({ owner: { accountName: name, accountId, userName: undefined }, limit: maxRootKeys })
  return { accessKeyId, secretAccessKey }
}

/** The body's members: texts that match, `quotas`, and no others. */
function membersOf<N extends string>({ body }: FastifyRequest, patterns: Readonly<Record<N, RegExp>>): { readonly [K in N]?: string } & { readonly quotas?: AccountQuotas } {
  let members: Members
  try {
    members = JSON.parse(body instanceof Buffer ? body.toString('utf8') : '{}') as Members
  } catch {
    throw new InvalidMember('the body is not JSON')
  }
  if (typeof members !== 'object' || members === null) throw new InvalidMember('the body is no object')
  const { quotas, ...texts } = members
  const read = quotas === undefined ? {} : readQuotas(quotas)
  if (typeof read === 'string') throw new InvalidMember(`quotas: ${read}`)
  for (const [name, value] of Object.entries(texts)) {
    const pattern = Object.hasOwn(patterns, name) ? patterns[name as N] : undefined
    if (pattern === undefined || typeof value !== 'string' || !pattern.test(value)) throw new InvalidMember(`${name} is unknown or malformed`)
  }
  return { ...(texts as { readonly [K in N]?: string }), ...(quotas === undefined ? {} : { quotas: read }) }
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ code, message })
}
