/** What primary and workers say to each other. Secrets travel here, never in arguments. */
import type { Config } from '../../config/parse-config.ts'
import type { Spent } from '../limits/rate-limits.ts'

export interface CommitterAddress {
  readonly path: string
  /** Where its commits can be read. */
  readonly directory: string
}

export type ToWorker =
  | { readonly kind: 'start'; readonly config: Config; readonly committer: CommitterAddress }
  /** The metadata are read elsewhere from now on. */
  | { readonly kind: 'moved'; readonly directory: string }
  | { readonly kind: 'drain' }
  /** What another worker admitted of the requests that have a rate. */
  | { readonly kind: 'spent'; readonly spent: Spent }

export type FromWorker =
  /** The worker is ready for `start`. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'listening'; readonly port: number }
  /** For the other workers. */
  | { readonly kind: 'spent'; readonly spent: Spent }
  /** It reads there now, and nowhere else. */
  | { readonly kind: 'moved'; readonly directory: string }
  /** It found damage in what it reads there. */
  | { readonly kind: 'damaged'; readonly directory: string }
  /** Copies of the metadata, read there or not, of which others are whole. */
  | { readonly kind: 'copiesDamaged'; readonly directories: readonly string[] }
  /** It cannot start, and ends. */
  | { readonly kind: 'failed'; readonly message: string }
