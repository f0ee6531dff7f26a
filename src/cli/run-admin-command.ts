import type { AdminClientOptions } from './admin-client.ts'
import type { Command } from './command.ts'
import { type Output, runHeal, runStatus } from './run-admin.ts'
import { runDecommission, runRebalance } from './run-moves.ts'

/** Commands that ask a running server. */
export type AdminCommand = Extract<Command, { kind: 'status' | 'heal' | 'decommission' | 'rebalance' }>

/** The exit code. Throws `AdminError`. */
export function runAdminCommand(client: AdminClientOptions, command: AdminCommand, output: Output): Promise<number> {
  switch (command.kind) {
    case 'status':
      return runStatus(client, command, output)
    case 'heal':
      return runHeal(client, command, output)
    case 'decommission':
      return runDecommission(client, command, output)
    case 'rebalance':
      return runRebalance(client, command, output)
  }
}
