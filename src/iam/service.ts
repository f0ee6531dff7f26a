import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { IdentityError } from '../identity/identity-error.ts'
import type { IdentityStore } from '../identity/identity-store.ts'
import type { QueryCall } from '../identity/query-call.ts'
import { byPolicies, type Decider } from '../policy/decider.ts'
import { notedDecision } from '../policy/explain.ts'
import { PolicyCache } from '../policy/policy-cache.ts'
import { requestContext } from '../policy/request-context.ts'
import { QueryError, type QueryErrorCode } from '../wire/query-error.ts'
import { iamModel } from '../wire/query-operations.ts'
import type { IamCall, Operation } from './operation.ts'
import { operations } from './operations.ts'

export interface IamParts {
  readonly identity: IdentityStore
  readonly clock: Clock
  readonly random: Random
  /** Absent: the policies alone. */
  readonly decider?: Decider
}

type AnyOperation = Operation<never>

/** IAM: authorize, then run. Every operation is about the caller's own account. */
export function createIamService({ identity, clock, random, decider = byPolicies }: IamParts) {
  const policies = new PolicyCache()
  return {
    model: iamModel,
    signingNames: ['iam', 's3', 'sts'],
    async run(name: string, input: object, { caller, client, noteDecision }: QueryCall): Promise<object> {
      if (caller === undefined) throw new QueryError('MissingAuthenticationToken', 'Request is missing Authentication Token')
      const operation = (operations as Readonly<Record<string, AnyOperation | undefined>>)[name]
      if (operation === undefined) throw new QueryError('NotImplemented', `${name} is not implemented.`)
      const { accountId } = caller.principal
      const call: IamCall = { caller, client, accountId, identity, iam: identity.iam(accountId), nowMs: clock.nowMs(), random, policies }
      refuseUnhonoured(name, operation, input)
      await authorize(name, operation, input, call, { decider, noteDecision })
      try {
        return await operation.run(input as never, call)
      } catch (error) {
        throw error instanceof IdentityError ? toQueryError(error) : error
      }
    },
  }
}

function refuseUnhonoured(name: string, { honours }: AnyOperation, input: object): void {
  const stranger = Object.keys(input).find(member => !(honours as readonly string[]).includes(member))
  if (stranger !== undefined) throw new QueryError('NotImplemented', `${name} with ${stranger} is not implemented.`)
}

async function authorize(name: string, operation: AnyOperation, input: object, call: IamCall, { decider, noteDecision }: Pick<QueryCall, 'noteDecision'> & { readonly decider: Decider }): Promise<void> {
  const { caller: { principal }, client, accountId, nowMs } = call
  const about = await operation.resource(input as never, call)
  const resource = about === '*' ? '*' : `arn:aws:iam::${accountId}:${about}`
  const context = requestContext({ principal, nowMs, ...client, referer: undefined, resourceAccountId: accountId }, contextOf(input))
  const decided = await decider.decide({ principal, action: `iam:${name}`, resource, resourceAccountId: accountId, context }, { ...principal.policies, resource: [] })
  noteDecision(notedDecision(`iam:${name}`, decided))
  if (decided.decision === 'deny') {
    const who = principal.sessionArn ?? principal.arn
    throw new QueryError('AccessDenied', `User: ${who} is not authorized to perform: iam:${name} on resource: ${resource}`)
  }
}

/** The keys that IAM's own conditions ask about. */
function contextOf(input: object): (key: string) => readonly string[] | undefined {
  const { PolicyArn, PermissionsBoundary, Tags } = input as { readonly PolicyArn?: string; readonly PermissionsBoundary?: string; readonly Tags?: readonly { readonly Key?: string; readonly Value?: string }[] }
  return key => {
    if (key === 'iam:policyarn') return PolicyArn === undefined ? undefined : [PolicyArn]
    if (key === 'iam:permissionsboundary') return PermissionsBoundary === undefined ? undefined : [PermissionsBoundary]
    if (key === 'aws:tagkeys') return Tags?.flatMap(tag => tag.Key ?? [])
    if (!key.startsWith('aws:requesttag/')) return undefined
    const value = Tags?.find(tag => tag.Key?.toLowerCase() === key.slice('aws:requesttag/'.length).toLowerCase())?.Value
    return value === undefined ? undefined : [value]
  }
}

const codes: Readonly<Record<IdentityError['code'], QueryErrorCode>> = {
  AccessKeyTaken: 'EntityAlreadyExists',
  AccountIdChanged: 'InvalidInput',
  AccountIdTaken: 'EntityAlreadyExists',
  IdChanged: 'InvalidInput',
  IdTaken: 'EntityAlreadyExists',
  NoSuchAccount: 'NoSuchEntity',
  NoSuchKey: 'NoSuchEntity',
  NoSuchUser: 'NoSuchEntity',
  TooManyKeys: 'LimitExceeded',
}

const toQueryError = ({ code, message }: IdentityError): QueryError => new QueryError(codes[code], message)
