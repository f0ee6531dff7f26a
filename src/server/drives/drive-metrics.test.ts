import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import type { DrivesReport } from './drive-routes.ts'
import { metricsText } from './metrics-text.ts'
import { isPrometheusToken } from './prometheus-token.ts'

const root = { user: 'minioadmin', password: 'a long password' }
const nowMs = 1_800_000_000_000
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function tokenOf(claims: object, password = root.password, header: object = { alg: 'HS512', typ: 'JWT' }): string {
  const signed = `${encode(header)}.${encode(claims)}`
  return `Bearer ${signed}.${createHmac('sha512', password).update(signed).digest('base64url')}`
}

it('takes the token of "mc admin prometheus generate", and no other', () => {
  const claims = { sub: root.user, iss: 'prometheus', exp: nowMs / 1000 + 60 }
  expect(isPrometheusToken(tokenOf(claims), root, nowMs)).toBe(true)
  const wrong = [
    undefined, 'Bearer x', tokenOf(claims, 'another password'), tokenOf({ ...claims, exp: nowMs / 1000 - 1 }), tokenOf({ ...claims, sub: 'other' }),
    tokenOf({ ...claims, iss: 'other' }), tokenOf(claims, root.password, { alg: 'none' }), `${tokenOf(claims)}A`, tokenOf({ ...claims, exp: 'never' }),
  ]
  for (const authorization of wrong) expect(isPrometheusToken(authorization, root, nowMs)).toBe(false)
})

it('prints drives in Prometheus’ format, labels escaped', () => {
  const set = { state: 'active' as const, hasMetadata: true, drives: 2, parity: 1, online: 1, writeQuorum: 2, readQuorum: 1, canWrite: false, canRead: true }
  const report: DrivesReport = {
    deploymentId: 'd', sets: [set], rawBytes: 10, rawFreeBytes: 4, usableBytes: 5, usableFreeBytes: 2, queuedBlobs: 0, healedBlobs: 0, heal: undefined, scrub: undefined, metadata: undefined, request: undefined, moves: undefined,
    drives: [
      { path: '/a"b', set: 0, position: 0, state: 'ok', explanation: undefined, totalBytes: 10, freeBytes: 4 },
      { path: '/c', set: 0, position: 1, state: 'missing', explanation: 'gone', totalBytes: undefined, freeBytes: undefined },
    ],
  }
  const lines = metricsText(report, '1.2.3').split('\n')
  for (const line of ['minio_cluster_health_status 0', 'minio_cluster_drive_offline_total 1', 'minio_node_drive_total_bytes{drive="/a\\"b",set="0"} 10', 'minio_node_drive_online{drive="/c",set="0"} 0']) {
    expect(lines).toContain(line)
  }
  expect(lines.every(line => line === '' || /^# (HELP|TYPE) |^[a-z_]+(\{[^}]*\})? [\d.]+$/.test(line))).toBe(true)
})
