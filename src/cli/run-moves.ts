import { secondMs } from '../../base/units.ts'
import { AdminError, callServer, type AdminClientOptions } from './admin-client.ts'
import type { Command } from './command.ts'
import { type DrivesReport, progressBar } from './drives-text.ts'
import { decommissionText, type MovesReport, percentOf, rebalanceText } from './moves-text.ts'
import type { Output } from './run-admin.ts'

const pollMs = secondMs

/** `moraine decommission`: with `wait` 0 once the set is empty, 2 when the decommission was cancelled. */
export async function runDecommission(client: AdminClientOptions, { set: word, wait, cancel, json }: Extract<Command, { kind: 'decommission' }>, output: Output): Promise<number> {
  const set = await setOf(client, word)
  const path = `/_moraine/v1/sets/${set}/decommission`
  await callServer(cancel ? 'DELETE' : 'POST', path, client)
  if (!wait) {
    if (json) output.write(`${JSON.stringify({ set })}\n`)
    else output.write(cancel ? `The decommission of set ${set} is cancelled; what was moved stays where it is.\n` : `Blobs are moved off set ${set}; "moraine status" shows how far that is.\n`)
    return 0
  }
  for (;;) {
    await client.clock.sleep(pollMs)
    const { decommissions } = await callServer<MovesReport>('GET', '/_moraine/v1/moves', client)
    const report = decommissions.find(each => each.set === set)
    if (json) output.write(`${JSON.stringify(report ?? { set, state: 'cancelled' })}\n`)
    else if (output.isTerminal && report?.progress !== undefined && report.state !== 'empty') output.write(`\r${barOf(report.progress)}`)
    if (report !== undefined && report.state !== 'empty') continue
    if (!json) output.write(`${output.isTerminal ? '\n' : ''}Decommission of set ${set}: ${report === undefined ? 'cancelled' : decommissionText(report)}\n`)
    return report === undefined ? 2 : 0
  }
}

/** `moraine rebalance`: with `wait` 0 once the sets are even, 2 when it was cancelled. */
export async function runRebalance(client: AdminClientOptions, { wait, cancel, json }: Extract<Command, { kind: 'rebalance' }>, output: Output): Promise<number> {
  const begun = await callServer<{ readonly id?: string }>(cancel ? 'DELETE' : 'POST', '/_moraine/v1/rebalance', client)
  if (!wait) {
    if (json) output.write(`${JSON.stringify(begun)}\n`)
    else output.write(cancel ? 'The rebalance is cancelled; what was moved stays where it is.\n' : 'Blobs are moved to emptier sets; "moraine status" shows how far that is.\n')
    return 0
  }
  for (;;) {
    await client.clock.sleep(pollMs)
    const { rebalance } = await callServer<MovesReport>('GET', '/_moraine/v1/moves', client)
    if (rebalance?.id !== begun.id || rebalance === undefined) continue
    if (json) output.write(`${JSON.stringify(rebalance)}\n`)
    else if (output.isTerminal && rebalance.progress !== undefined && rebalance.state === 'running') output.write(`\r${barOf(rebalance.progress)}`)
    if (rebalance.state === 'running') continue
    if (!json) output.write(`${output.isTerminal ? '\n' : ''}Rebalance: ${rebalanceText(rebalance)}\n`)
    return rebalance.state === 'done' ? 0 : 2
  }
}

function barOf(progress: Parameters<typeof percentOf>[0]): string {
  return progressBar({ done: percentOf(progress), directories: 100 })
}

/** The number of a set, from 1, which may be given by one of its drives. */
async function setOf(client: AdminClientOptions, word: string): Promise<number> {
  if (/^[1-9]\d{0,4}$/.test(word)) return Number(word)
  const { drives } = await callServer<DrivesReport>('GET', '/_moraine/v1/drives', client)
  const drive = drives.find(({ path }) => path === word)
  if (drive === undefined) throw new AdminError(`${word} is neither the number of a set nor a drive of ${client.endpoint}: "moraine status" shows both`)
  return drive.set + 1
}
