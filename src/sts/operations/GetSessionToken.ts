import { QueryError } from '../../wire/query-error.ts'
import type { StsInput, StsOutput } from '../../wire/query-operations.ts'
import { signedBy, type Operation } from '../operation.ts'
import { durationMs, openSession } from '../session-input.ts'

/**
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html: a session of the caller's own rights. An
 * account's root gets an hour at most. Errors: AccessDenied (the caller is a session), ValidationError.
 */
export const GetSessionToken: Operation<StsInput<'GetSessionToken'>, StsOutput<'GetSessionToken'>> = {
  honours: ['DurationSeconds'],
  async run({ DurationSeconds }, call) {
    const { principal, basis } = signedBy(call)
    if (basis === undefined || basis.expiresAtMs !== undefined) throw new QueryError('AccessDenied', 'Cannot call GetSessionToken with session credentials')
    const rule = principal.kind === 'user' ? { fallbackSeconds: 43_200, mostSeconds: 129_600 } : { fallbackSeconds: 3600, mostSeconds: 3600 }
    return { Credentials: await openSession(basis, durationMs(DurationSeconds, rule), call) }
  },
}
