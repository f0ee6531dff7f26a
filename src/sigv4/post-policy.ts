import { checkRegionSet, checkScope, parseCredential, type Placement } from './credential.ts'
import { secretOf, signatureMismatch, type SignatureRules } from './authenticate.ts'
import { isSignatureAlgorithm } from './request-signature.ts'
import { SigV4Error } from './sigv4-error.ts'
import { parseBasicTimestamp } from './timestamps.ts'

/** The signature of a POST form, from its fields of these names (compared without case). */
export interface PostSignature {
  /** `policy`: the Base64 text as sent. It is what is signed. */
  readonly policy: string
  /** `x-amz-algorithm`. */
  readonly algorithm: string
  /** `x-amz-credential`. */
  readonly credential: string
  /** `x-amz-date`. */
  readonly date: string
  /** `x-amz-signature`. */
  readonly signature: string
  /** `x-amz-security-token`. */
  readonly sessionToken: string | undefined
  /** `x-amz-region-set`, for SigV4A. */
  readonly regionSet?: string
}

export interface AuthenticatedPost {
  readonly placement: Placement
  readonly accessKeyId: string
  readonly sessionToken: string | undefined
  readonly region: string
}

/**
 * Verifies the signature of a POST policy
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html).
 * The policy's own expiration and conditions are the caller's to evaluate.
 */
export async function authenticatePost(post: PostSignature, rules: SignatureRules): Promise<AuthenticatedPost> {
  if (!isSignatureAlgorithm(post.algorithm)) {
    throw new SigV4Error('InvalidArgument', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"', {
      ArgumentName: 'x-amz-algorithm',
      ArgumentValue: post.algorithm,
    })
  }
  const credential = parseCredential(post.credential, post.algorithm, 'form')
  if (parseBasicTimestamp(post.date) === undefined) {
    throw new SigV4Error('InvalidArgument', 'X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd\'T\'HHmmss\'Z\'"', {
      ArgumentName: 'x-amz-date',
      ArgumentValue: post.date,
    })
  }
  checkScope(credential, post.date, rules, 'form')
  const region = credential.region ?? post.regionSet ?? '*'
  if (credential.region === undefined) checkRegionSet(region, rules, 'form')
  const secret = await secretOf(rules, credential.accessKeyId, post.sessionToken)
  const verifier = rules.keys.get(post.algorithm, credential, secret)
  if (!verifier.matches(post.policy, post.signature)) throw signatureMismatch(credential, post.signature, post.policy)
  rules.keys.keep(credential, secret, verifier)
  return { placement: 'form', accessKeyId: credential.accessKeyId, sessionToken: post.sessionToken, region }
}
