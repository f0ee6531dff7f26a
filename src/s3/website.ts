import { S3Error } from '../wire/errors.ts'
import type { RoutingRule, WebsiteConfiguration } from '@aws-sdk/client-s3'

const routingRuleLimit = 50

/** AWS's rules for a website configuration. Errors: InvalidArgument, InvalidRequest, MalformedXML. */
export function refuseInvalidWebsite(website: WebsiteConfiguration): void {
  const { RedirectAllRequestsTo: redirectAll, IndexDocument: index, ErrorDocument: error, RoutingRules: rules = [] } = website
  if (redirectAll !== undefined) {
    if (index !== undefined || error !== undefined || rules.length > 0) {
      throw new S3Error('InvalidArgument', 'RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.')
    }
    if (!redirectAll.HostName) throw new S3Error('MalformedXML')
    refuseProtocol(redirectAll.Protocol)
    return
  }
  const suffix = index?.Suffix
  if (suffix === undefined) throw new S3Error('InvalidArgument', 'A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty', { ArgumentName: 'IndexDocument', ArgumentValue: 'null' })
  if (suffix === '' || suffix.includes('/')) throw new S3Error('InvalidArgument', 'The IndexDocument Suffix is not well formed', { ArgumentName: 'IndexDocument', ArgumentValue: suffix })
  if (error !== undefined && !error.Key) throw new S3Error('MalformedXML')
  if (rules.length > routingRuleLimit) throw new S3Error('InvalidRequest', `The number of routing rules must not exceed ${routingRuleLimit}`)
  for (const rule of rules) refuseInvalidRule(rule)
}

function refuseInvalidRule({ Redirect: redirect, Condition: condition }: RoutingRule): void {
  if (redirect === undefined) throw new S3Error('MalformedXML')
  if (redirect.ReplaceKeyPrefixWith !== undefined && redirect.ReplaceKeyWith !== undefined) {
    throw new S3Error('InvalidRequest', 'You can only define ReplaceKeyPrefix or ReplaceKey but not both.')
  }
  refuseProtocol(redirect.Protocol)
  if (redirect.HttpRedirectCode !== undefined && !/^3\d\d$/.test(redirect.HttpRedirectCode)) {
    throw new S3Error('InvalidRequest', `The provided HTTP redirect code (${redirect.HttpRedirectCode}) is not valid. Valid codes are 3XX except 300.`)
  }
  const code = condition?.HttpErrorCodeReturnedEquals
  if (code !== undefined && !/^[45]\d\d$/.test(code)) {
    throw new S3Error('InvalidRequest', `The provided HTTP error code (${code}) is not valid. Valid codes are 4XX or 5XX.`)
  }
}

function refuseProtocol(protocol: string | undefined): void {
  if (protocol !== undefined && protocol !== 'http' && protocol !== 'https') {
    throw new S3Error('InvalidRequest', 'Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.')
  }
}
