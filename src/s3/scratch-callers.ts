/** For tests: users with policies, other accounts. */
import { compilePolicy } from '../policy/compile.ts'
import { rootPrincipal, type Principal } from '../policy/principal.ts'
import { account } from './scratch-server.ts'
import type { Caller } from '../identity/caller.ts'

export const foreign = { name: 'eve', id: 'e'.repeat(64), accountId: '222222222222', displayName: 'Eve', email: '' }

export type Documents = readonly object[]

const named = (documents: Documents) => documents.map((document, index) => ({ name: `policy ${index}`, policy: compilePolicy(JSON.stringify(document), { kind: 'identity' }) }))

/** Statements as a document. */
export const document = (...statements: readonly object[]): object => ({ Version: '2012-10-17', Statement: statements })
export const allow = (Action: string | readonly string[], Resource: string | readonly string[], more: object = {}): object => document({ Effect: 'Allow', Action, Resource, ...more })

export function user(name: string, documents: Documents, { of = account, limits = [], ...more }: { readonly of?: typeof account; readonly limits?: readonly Documents[] } & Partial<Principal> = {}): Caller {
  const root = rootPrincipal('accountRoot', of)
  const principal: Principal = {
    ...root,
    kind: 'user',
    arn: `arn:aws:iam::${of.accountId}:user/${name}`,
    userId: `AIDA${name.toUpperCase()}`,
    userName: name,
    policies: { identity: named(documents), limits: limits.map(named) },
    ...more,
  }
  return { principal, account: of, accessKeyId: name }
}

export const accountRoot = (of: typeof account, accessKeyId: string): Caller => ({ principal: rootPrincipal('accountRoot', of), account: of, accessKeyId })
