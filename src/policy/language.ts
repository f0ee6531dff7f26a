import type { ArnPattern } from './arn.ts'
import type { Condition } from './conditions.ts'
import type { Pattern } from './pattern.ts'

/**
 * A policy document, checked and compiled once by `compilePolicy`, evaluated many times.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export interface Policy {
  readonly version: PolicyVersion
  readonly id: string | undefined
  readonly statements: readonly Statement[]
}

/** Only `2012-10-17` has policy variables: in older documents `${` is text. */
export type PolicyVersion = '2012-10-17' | '2008-10-17'

/**
 * What a document is attached to decides which elements it has: `identity` has no Principal, `resource`
 * must have one, and `trust` (a role's) has a Principal and no Resource.
 */
export type PolicyKind = 'identity' | 'resource' | 'trust'

export interface Statement {
  /** Its place in the document, from 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  /** Whom it is about; undefined in identity policies, which are about whoever they are attached to. */
  readonly principals: Principals | undefined
  readonly actions: Actions
  /** Undefined in trust policies, which are about the role that they belong to. */
  readonly resources: Resources | undefined
  readonly conditions: readonly Condition[]
}

/** `negated`: NotAction. Patterns are in lower case. */
export interface Actions {
  readonly negated: boolean
  readonly patterns: readonly Pattern[]
}

/** `negated`: NotResource. */
export interface Resources {
  readonly negated: boolean
  /** As written. */
  readonly texts: readonly string[]
  readonly patterns: readonly ArnPattern[]
}

/** `negated`: NotPrincipal. */
export interface Principals {
  readonly negated: boolean
  /** `"Principal": "*"` or `{"AWS": "*"}`: everybody, also without a signature. */
  readonly everyone: boolean
  /** 12-digit ids of accounts, given as such or as `arn:aws:iam::ID:root`. */
  readonly accounts: ReadonlySet<string>
  /** ARNs of users, roles, role sessions and federated users. */
  readonly arns: ReadonlySet<string>
  readonly canonicalUsers: ReadonlySet<string>
  /** Identity providers of web identities and SAML. */
  readonly federated: ReadonlySet<string>
  readonly services: ReadonlySet<string>
}

/** A policy and the name that explanations give it: its ARN, or what it is attached to. */
export interface NamedPolicy {
  readonly name: string
  readonly policy: Policy
}
