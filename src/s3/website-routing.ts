import type { Redirect, RoutingRule, WebsiteConfiguration } from '@aws-sdk/client-s3'

/**
 * What a bucket's website configuration makes of a request, as pure plans:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
 */
export type WebsiteStep = { readonly kind: 'redirect'; readonly status: number; readonly location: string } | { readonly kind: 'object'; readonly key: string }

/** What was asked for. `key` is the path without its leading slash, decoded. */
export interface WebsiteRequest {
  readonly protocol: 'http' | 'https'
  readonly host: string
  readonly key: string
}

/** A redirect of all requests first, then the rules that need no error; else the key, of the index document for a folder. */
export function planWebsiteRequest(website: WebsiteConfiguration, request: WebsiteRequest): WebsiteStep {
  const { RedirectAllRequestsTo: all, IndexDocument: index, RoutingRules: rules = [] } = website
  if (all !== undefined) {
    return redirectTo(request, { ...(all.HostName === undefined ? {} : { HostName: all.HostName }), ...(all.Protocol === undefined ? {} : { Protocol: all.Protocol }) }, '')
  }
  const rule = rules.find(each => each.Condition?.HttpErrorCodeReturnedEquals === undefined && hasPrefix(each, request.key))
  if (rule !== undefined) return redirectTo(request, rule.Redirect ?? {}, rule.Condition?.KeyPrefixEquals ?? '')
  return { kind: 'object', key: isFolder(request.key) ? request.key + (index?.Suffix ?? '') : request.key }
}

/** What follows an error: a rule for its status, the error document, or undefined: then the error itself is shown. */
export function planWebsiteError(website: WebsiteConfiguration, request: WebsiteRequest, status: number): WebsiteStep | undefined {
  const rule = (website.RoutingRules ?? []).find(each => each.Condition?.HttpErrorCodeReturnedEquals === String(status) && hasPrefix(each, request.key))
  if (rule !== undefined) return redirectTo(request, rule.Redirect ?? {}, rule.Condition?.KeyPrefixEquals ?? '')
  const key = website.ErrorDocument?.Key
  return key === undefined ? undefined : { kind: 'object', key }
}

/** Where the index document of a folder that was asked for without its slash would be; undefined for what is no such request. */
export function folderIndexOf(website: WebsiteConfiguration, { key }: WebsiteRequest): string | undefined {
  return isFolder(key) ? undefined : `${key}/${website.IndexDocument?.Suffix ?? ''}`
}

/** A path of this host, as a Location header. */
export const pathOf = (key: string): string => `/${key.split('/').map(encodeURIComponent).join('/')}`

const isFolder = (key: string): boolean => key === '' || key.endsWith('/')

const hasPrefix = ({ Condition: condition }: RoutingRule, key: string): boolean => key.startsWith(condition?.KeyPrefixEquals ?? '')

function redirectTo({ protocol, host, key }: WebsiteRequest, redirect: Redirect, prefix: string): WebsiteStep {
  const { ReplaceKeyWith: whole, ReplaceKeyPrefixWith: replacement } = redirect
  const target = whole ?? (replacement === undefined ? key : replacement + key.slice(prefix.length))
  const location = `${redirect.Protocol ?? protocol}://${redirect.HostName ?? host}${pathOf(target)}`
  return { kind: 'redirect', status: Number(redirect.HttpRedirectCode ?? 301), location }
}
