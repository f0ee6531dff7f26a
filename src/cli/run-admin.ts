import { secondMs } from '../../base/units.ts'
import { accountsText, type AccountReport } from './accounts-text.ts'
import { callServer, type AdminClientOptions } from './admin-client.ts'
import { type DrivesReport, progressBar, statusText, walkText } from './drives-text.ts'

/** Where a command writes. */
export interface Output {
  readonly write: (text: string) => unknown
  /** Lines may be written over. */
  readonly isTerminal: boolean
}

const pollMs = secondMs

/** `moraine status`: 0 when every set is healthy, 2 when one is degraded, 3 when one cannot be written. */
export async function runStatus(client: AdminClientOptions, { json }: { readonly json: boolean }, output: Output): Promise<number> {
  const report = await callServer<DrivesReport>('GET', '/_moraine/v1/drives', client)
  const accounts = await listAccounts(client)
  output.write(json ? `${JSON.stringify({ ...report, accounts })}\n` : `${statusText(report)}${accountsText(accounts)}`)
  if (!report.sets.every(({ canWrite }) => canWrite)) return 3
  return report.sets.every(({ online, drives }) => online === drives) ? 0 : 2
}

async function listAccounts(client: AdminClientOptions): Promise<AccountReport[]> {
  const all: AccountReport[] = []
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: { readonly accounts: readonly AccountReport[]; readonly next?: string } = await callServer('GET', `/_moraine/v1/accounts${after === '' ? '' : `?after=${encodeURIComponent(after)}`}`, client)
    all.push(...page.accounts)
    after = page.next
  }
  return all
}

/** `moraine heal`: asks for a walk over all blobs; with `wait` shows it until its end: 0 when nothing is left to heal, 2 otherwise. */
export async function runHeal(client: AdminClientOptions, { wait, json }: { readonly wait: boolean; readonly json: boolean }, output: Output): Promise<number> {
  const { id, requestedAtMs } = await callServer<{ readonly id: string; readonly requestedAtMs: number }>('POST', '/_moraine/v1/heal', client)
  if (!wait) {
    output.write(json ? `${JSON.stringify({ id })}\n` : 'Healing was asked for; "moraine status" shows how far it is.\n')
    return 0
  }
  for (;;) {
    await client.clock.sleep(pollMs)
    const { heal } = await callServer<DrivesReport>('GET', '/_moraine/v1/drives', client)
    // A walk that began later, for a drive that came back, does what was asked here too, and may be all that is done for it.
    if (heal === undefined || (heal.id !== id && heal.startedAtMs < requestedAtMs)) continue
    if (json) output.write(`${JSON.stringify(heal)}\n`)
    else if (output.isTerminal && heal.progress !== undefined) output.write(`\r${progressBar(heal.progress)}`)
    if (heal.state !== 'done') continue
    if (!json) output.write(`${output.isTerminal ? '\n' : ''}Heal: ${walkText(heal)}\n`)
    return (heal.progress?.waitingBlobs ?? 0) === 0 ? 0 : 2
  }
}
