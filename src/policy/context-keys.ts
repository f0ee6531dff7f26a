import type { ArnPattern } from './arn.ts'
import type { Policy } from './language.ts'

const known = new WeakMap<Policy, readonly string[]>()

/** Whether a condition or variable of the policy asks for a key that begins so: what it needs can be read only then. */
export function asksFor(policy: Policy, keyPrefix: string): boolean {
  let keys = known.get(policy)
  if (keys === undefined) {
    keys = keysOf(policy)
    known.set(policy, keys)
  }
  return keys.some(key => key.startsWith(keyPrefix))
}

function keysOf({ statements }: Policy): readonly string[] {
  const keys = new Set<string>()
  for (const { conditions, resources } of statements) {
    for (const { contextKey, values } of conditions) {
      keys.add(contextKey)
      for (const value of values) for (const [, name = ''] of value.matchAll(/\$\{\s*([^,}\s]+)/g)) keys.add(name.toLowerCase())
    }
    for (const pattern of resources?.patterns ?? []) for (const key of variablesOf(pattern)) keys.add(key)
  }
  return [...keys]
}

function variablesOf(pattern: ArnPattern): readonly string[] {
  if (pattern.kind === 'all') return []
  const patterns = pattern.kind === 'whole' ? [pattern.pattern] : pattern.segments
  return patterns.flatMap(part => (part.kind === 'pieces' ? part.pieces.flatMap(piece => (piece.kind === 'variable' ? [piece.key] : [])) : []))
}
