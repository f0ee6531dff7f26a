import type { Pattern } from './pattern.ts'

export interface Condition {
  readonly operator: string
  readonly key: string
  readonly values: readonly Pattern[]
}
