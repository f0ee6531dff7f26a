import type { FastifyInstance, FastifyReply } from 'fastify'
import { KiB } from '../../../base/units.ts'
import type { IdentityStore } from '../../identity/identity-store.ts'
import { principalByArn } from '../../identity/principal-by-arn.ts'
import { explainDecision, explanationText, reasonOf, type Explanation } from '../../policy/explain.ts'
import { NoSuchResource, type Explain, type Question } from '../../policy/explaining-decider.ts'
import { conditionKey } from '../../policy/pattern.ts'
import { requestContext } from '../../policy/request-context.ts'
import { isOperator, type OperatorKeys } from '../operator.ts'

export interface ExplainRoutesOptions extends OperatorKeys {
  readonly identity: IdentityStore
  /** Each knows one kind of resources. */
  readonly explainers: readonly Explain[]
}

const bodyLimitBytes = 64 * KiB

interface Asked {
  readonly principal?: string
  readonly action: string
  readonly resource: string
  readonly context: ReadonlyMap<string, readonly string[]>
}

/**
 * `POST /_moraine/v1/policies/explain`, for the operator alone: what would be decided, with the policies that are stored,
 * and of each statement in force whether it applies and if not, why. Nothing is done.
 */
export function registerExplainRoutes(app: FastifyInstance, options: ExplainRoutesOptions): Promise<void> {
  const { identity, explainers, clock } = options
  return Promise.resolve(app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyLimitBytes }, (_request, body, done) => done(null, body))
    scope.addHook('preHandler', async (request, reply) => ((await isOperator(request, options)) ? undefined : refuse(reply, 403, 'AccessDenied', 'Access Denied.')))
    scope.setErrorHandler((error, _request, reply) => {
      if (error instanceof NoSuchResource) return refuse(reply, 404, 'NoSuchResource', error.message)
      throw error
    })
    scope.post('/_moraine/v1/policies/explain', async (request, reply) => {
      const asked = readAsked(request.body)
      if (typeof asked === 'string') return refuse(reply, 400, 'InvalidArgument', asked)
      const principal = await principalByArn(identity, asked.principal)
      if (principal === undefined) return refuse(reply, 404, 'NoSuchPrincipal', 'there is no such account, user or role')
      const question: Question = { principal, action: asked.action, resource: asked.resource, given: asked.context, nowMs: clock.nowMs() }
      return reply.header('cache-control', 'no-store').send(shown(await explained(explainers, question)))
    })
  })).then(() => undefined)
}

async function explained(explainers: readonly Explain[], question: Question): Promise<Explanation> {
  for (const explain of explainers) {
    const explanation = await explain(question)
    if (explanation !== undefined) return explanation
  }
  return explainOther(question)
}

/** Of IAM, STS and whatever has no policy of its own: in the account of its ARN, else in the principal's. */
function explainOther({ principal, action, resource, given, nowMs }: Question): Explanation {
  const resourceAccountId = /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(resource)?.[1] ?? (principal.accountId || undefined)
  const general = requestContext({ principal, nowMs, sourceIp: undefined, isSecure: true, userAgent: undefined, referer: undefined, resourceAccountId }, () => undefined)
  return explainDecision({ principal, action, resource, resourceAccountId, context: key => given.get(key) ?? general(key) }, { ...principal.policies, resource: [] })
}

function shown(explanation: Explanation) {
  return { decision: explanation.decision, because: reasonOf(explanation), statements: explanation.statements, text: explanationText(explanation) }
}

/** A text says what is wrong. */
function readAsked(body: unknown): Asked | string {
  let members: Readonly<Record<string, unknown>>
  try {
    members = JSON.parse(body instanceof Buffer ? body.toString('utf8') : '') as Readonly<Record<string, unknown>>
  } catch {
    return 'the body is not JSON'
  }
  if (typeof members !== 'object' || members === null || Array.isArray(members)) return 'the body is no object'
  const stranger = Object.keys(members).find(name => !['principal', 'action', 'resource', 'context'].includes(name))
  if (stranger !== undefined) return `${stranger} is unknown; expected principal, action, resource, context`
  const { principal, action, resource, context = {} } = members
  if (principal !== undefined && typeof principal !== 'string') return 'principal is an ARN'
  if (typeof action !== 'string' || !/^[A-Za-z0-9-]+:[A-Za-z0-9]+$/.test(action)) return 'action is SERVICE:ACTION'
  if (typeof resource !== 'string' || resource === '') return 'resource is an ARN, or *'
  if (typeof context !== 'object' || context === null) return 'context has a text, or a list of texts, for each condition key'
  const given = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(context)) {
    const values: unknown[] = Array.isArray(value) ? value : [value]
    if (!values.every(each => typeof each === 'string')) return `context: ${name} is a text, or a list of texts`
    given.set(conditionKey(name), values)
  }
  return { ...(principal === undefined ? {} : { principal }), action, resource, context: given }
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ code, message })
}
