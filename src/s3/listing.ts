import { S3Error } from '../wire/errors.ts'
import { encodeListingName } from '../wire/percent.ts'

export const pageLimit = 1000

/** The page size of a listing: absent 1,000; more is cut to 1,000; AWS refuses negative ones. */
export function limitOf(name: string, asked: number | undefined): number {
  if (asked === undefined) return pageLimit
  if (asked < 0 || asked > 2_147_483_647) throw new S3Error('InvalidArgument', `Argument ${name} must be an integer between 0 and 2147483647`, { ArgumentName: name, ArgumentValue: String(asked) })
  return Math.min(asked, pageLimit)
}

/** `encoding-type=url`: keys, prefixes, markers and delimiters are percent-encoded in the answer. */
export function encoderOf(encodingType: string | undefined): (text: string) => string {
  if (encodingType === undefined) return text => text
  if (encodingType !== 'url') throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request', { ArgumentName: 'encoding-type', ArgumentValue: encodingType })
  return encodeListingName
}

/** An encoded member, or undefined where the request had none. */
export const encodedIf = (encode: (text: string) => string, text: string | undefined): string | undefined => (text === undefined ? undefined : encode(text))

const tokenVersion = '1'

/** A continuation token names the last entry of its page: it stays good while keys come and go. */
export const tokenAfter = (entry: string): string => Buffer.from(tokenVersion + entry, 'utf8').toString('base64url')

/** Errors: InvalidArgument for what was no token of ours. */
export function afterToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith(tokenVersion) || tokenAfter(text.slice(1)) !== token) {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', { ArgumentName: 'continuation-token', ArgumentValue: token })
  }
  return text.slice(1)
}
