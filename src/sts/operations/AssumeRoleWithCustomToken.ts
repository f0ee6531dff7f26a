import type { Credentials } from '@aws-sdk/client-sts'
import { KiB, secondMs } from '../../../base/units.ts'
import type { CustomTokenSignIn } from '../../identity/identity-providers.ts'
import { readAnswer } from '../../identity/read-answer.ts'
import { QueryError } from '../../wire/query-error.ts'
import { foreignSession } from '../foreign-session.ts'
import type { Operation, StsCall } from '../operation.ts'

interface Input {
  readonly Token?: string
  readonly RoleArn?: string
  readonly Policy?: string
  readonly DurationSeconds?: number
}

/** What the identity service answers. */
interface Answer {
  readonly user: string
  readonly maxValiditySeconds: number
  readonly claims?: Readonly<Record<string, unknown>>
}

const timeoutMs = 10 * secondMs
const maxAnswerBytes = 64 * KiB

/**
 * MinIO's identity management plugin: `POST URL?token=TOKEN` to the configured service, which answers 200 with the user or
 * 403 with a reason. Fails closed. Errors: AccessDenied, InvalidParameterValue, IDPCommunicationError, ServiceUnavailable.
 */
export const AssumeRoleWithCustomToken: Operation<Input, { readonly Credentials: Credentials }> = {
  honours: ['Token', 'RoleArn', 'Policy', 'DurationSeconds'],
  async run(input, call) {
    const { customToken: rule } = call.providers
    if (rule === undefined) throw new QueryError('ServiceUnavailable', 'No identity service is configured.')
    if (input.Token === undefined || input.Token === '') throw new QueryError('MissingParameter', 'Token is missing.')
    if (input.RoleArn !== `arn:minio:iam:::role/${rule.roleId}`) throw new QueryError('InvalidParameterValue', 'RoleArn is none of the identity service’s.')
    const { user, maxValiditySeconds } = await ask(rule, input.Token, call)
    const mostSeconds = Math.max(900, Math.min(maxValiditySeconds, 31_536_000))
    return foreignSession({ parent: `custom:${rule.roleId}:${user}`, account: rule.account, policies: rule.rolePolicies, keys: {}, mostSeconds }, input, call)
  },
}

async function ask({ url, authorization }: CustomTokenSignIn, token: string, { fetch }: StsCall): Promise<Answer> {
  let status: number
  let text: string
  try {
    const headers = authorization === undefined ? {} : { authorization }
    const response = await fetch(`${url}?token=${encodeURIComponent(token)}`, { method: 'POST', redirect: 'error', signal: AbortSignal.timeout(timeoutMs), headers })
    status = response.status
    text = await readAnswer(response, maxAnswerBytes)
  } catch {
    // The cause would quote the address, and with it the token.
    throw new QueryError('IDPCommunicationError', 'The identity service cannot be asked.')
  }
  if (status !== 200) throw new QueryError(status === 403 ? 'AccessDenied' : 'IDPCommunicationError', status === 403 ? 'The identity service refused the token.' : 'The identity service failed.')
  return answerOf(text)
}

function answerOf(text: string): Answer {
  try {
    const { user, maxValiditySeconds } = JSON.parse(text) as Partial<Answer>
    if (typeof user === 'string' && user !== '' && user.length <= 256 && typeof maxValiditySeconds === 'number' && maxValiditySeconds >= 900) return { user, maxValiditySeconds }
  } catch {
    // Answered below as any other text that is none.
  }
  throw new QueryError('IDPCommunicationError', 'The identity service’s answer is none.')
}
