import { GiB, KiB, MiB } from '../../base/units.ts'

/** An account as the server tells of it, with what it has and may have. */
export interface AccountReport {
  readonly name: string
  readonly status: string
  readonly usage: { readonly buckets: number; readonly objects: number; readonly bytes: number }
  readonly quotas: { readonly bytes?: number; readonly buckets?: number; readonly requestsPerSecond?: number; readonly identityRequestsPerSecond?: number }
}

/** The accounts of `moraine status` for people, one a line. */
export function accountsText(accounts: readonly AccountReport[]): string {
  const width = Math.max(0, ...accounts.map(({ name }) => name.length))
  return accounts.map(account => `Account ${account.name.padEnd(width)}  ${lineOf(account)}\n`).join('')
}

function lineOf({ status, usage, quotas }: AccountReport): string {
  const rates = [rate(quotas.requestsPerSecond, ''), rate(quotas.identityRequestsPerSecond, ' of each identity')].filter(text => text !== '')
  const parts = [`${of(usage.bytes, quotas.bytes, size)}`, `${of(usage.buckets, quotas.buckets, String)} buckets`, `${usage.objects.toLocaleString('en')} objects`, ...rates]
  return `${status === 'Enabled' ? '' : `${status}, `}${parts.join(', ')}`
}

const of = (used: number, quota: number | undefined, show: (value: number) => string): string => (quota === undefined ? show(used) : `${show(used)} of ${show(quota)}`)

const rate = (perSecond: number | undefined, whose: string): string => (perSecond === undefined ? '' : `at most ${perSecond.toLocaleString('en')} requests/s${whose}`)

function size(bytes: number): string {
  const [unit, name] = ([[GiB, 'GiB'], [MiB, 'MiB'], [KiB, 'KiB']] as const).find(([least]) => bytes >= least) ?? [1, 'B']
  return `${unit === 1 ? bytes : (bytes / unit).toFixed(1)} ${name}`
}
