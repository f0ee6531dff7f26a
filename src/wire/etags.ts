import { S3Error } from './errors.ts'

const maximumEtags = 100

/**
 * The ETags of an If-Match or If-None-Match value, without quotes; `['*']` for any. Weak marks are dropped: this
 * server has no weak ETags. Bare values (no quotes) are taken as AWS takes them. `InvalidArgument` for what is no list.
 */
export function parseEtags(header: string): string[] {
  const text = header.trim()
  if (text === '*') return ['*']
  const etags: string[] = []
  let rest = text
  while (rest !== '') {
    const match = /^(?:W\/)?(?:"([^"]*)"|([^",\s]+))[ \t]*(?:,[ \t]*|$)/.exec(rest)
    const etag = match?.[1] ?? match?.[2]
    if (match === null || etag === undefined || etags.length === maximumEtags) throw notAnEtagList(header)
    etags.push(etag)
    rest = rest.slice(match[0].length)
  }
  if (etags.length === 0) throw notAnEtagList(header)
  return etags
}

function notAnEtagList(header: string): S3Error {
  return new S3Error('InvalidArgument', 'The value is not an ETag or a list of ETags', { ArgumentName: 'ETag', ArgumentValue: header.slice(0, 256) })
}
