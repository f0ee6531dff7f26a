import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../logger.ts'
import { openAuditFile } from './audit-file.ts'
import { createAuditLog, type AuditLog } from './audit-log.ts'
import { openAuditWebhook } from './audit-webhook.ts'

export interface AuditSettings {
  /** A path, or `-` for standard output. */
  readonly auditFile: string | undefined
  readonly auditWebhook: string | undefined
  readonly auditWebhookToken: string | undefined
}

/** The audit log that is configured; undefined when none is. */
export function openAuditLog({ auditFile, auditWebhook, auditWebhookToken }: AuditSettings, world: { readonly deploymentId: string; readonly clock: Clock; readonly logger: Logger }): AuditLog | undefined {
  const { deploymentId, clock, logger } = world
  const file = auditFile === undefined ? undefined : openAuditFile({
    file: auditFile === '-' ? 1 : auditFile,
    clock,
    onFault: error => logger.error({ err: error }, 'audit records cannot be written: they wait, and requests with them'),
  })
  const webhook = auditWebhook === undefined ? undefined : openAuditWebhook({
    url: auditWebhook,
    token: auditWebhookToken,
    clock,
    onFault: (error, dropped) => logger.warn({ err: error, dropped }, 'the audit webhook'),
  })
  const targets = [file, webhook].filter(target => target !== undefined)
  return targets.length === 0 ? undefined : createAuditLog({ targets, deploymentId, clock })
}
