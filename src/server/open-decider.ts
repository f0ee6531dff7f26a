import type { Config } from '../config/parse-config.ts'
import { policyService } from '../identity/policy-service.ts'
import { byPolicies, type Decider } from '../policy/decider.ts'
import type { Logger } from '../telemetry/logger.ts'

/** The policies alone, or with the policy service that is configured. */
export function openDecider({ policyServiceUrl: url, policyServiceToken: authorization }: Pick<Config, 'policyServiceUrl' | 'policyServiceToken'>, logger: Logger): Decider {
  if (url === undefined) return byPolicies
  const onFault = (fault: unknown): void => {
    if (fault === undefined) logger.info('the policy service answers again')
    else logger.error({ err: fault }, 'the policy service cannot be asked: what it decides is denied')
  }
  return policyService({ url, authorization, fetch, onFault })
}
