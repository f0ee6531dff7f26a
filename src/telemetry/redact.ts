/** What a log line may show of a request. */

const shownTokens = new Set(['continuation-token', 'pagetoken', 'page-token'])

/**
 * A request's URL with the values of signatures, tokens, secrets and keys taken out. Names are
 * judged after decoding, so that `%58-Amz-Signature` hides as well.
 */
export function redactUrl(url: string): string {
  const question = url.indexOf('?')
  if (question === -1) return url
  const query = url
    .slice(question + 1)
    .split('&')
    .map(pair => {
      const equals = pair.indexOf('=')
      return equals !== -1 && isSecretName(decode(pair.slice(0, equals))) ? `${pair.slice(0, equals)}=***` : pair
    })
    .join('&')
  return `${url.slice(0, question)}?${query}`
}

export function isSecretName(name: string): boolean {
  const lower = name.trim().toLowerCase()
  return /signature|secret|password|token|customer-key|authorization|assertion/.test(lower) && !shownTokens.has(lower)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
