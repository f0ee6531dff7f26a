import type { DriveStatus } from '../../../engine/index.ts'
import type { DrivesReport } from './drive-routes.ts'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [value: number, labels?: Labels]

/** The drives in Prometheus' text format 0.0.4, under MinIO's names where it has them. */
export function metricsText(report: DrivesReport, version: string): string {
  const { drives, sets } = report
  const isOnline = ({ state }: DriveStatus): boolean => state === 'ok' || state === 'full'
  const online = drives.filter(isOnline).length
  const perDrive = (value: (drive: DriveStatus) => number | undefined): Sample[] =>
    drives.flatMap(drive => {
      const found = value(drive)
      return found === undefined ? [] : [[found, { drive: drive.path, set: String(drive.set) }] as const]
    })
  const healed = (report.heal?.progress?.healedBlobs ?? 0) + (report.scrub?.progress?.healedBlobs ?? 0)
  const rows: readonly (readonly [name: string, help: string, samples: readonly Sample[]])[] = [
    ['minio_software_version_info', 'The version of Moraine.', [[1, { version }]]],
    ['minio_cluster_health_status', 'Whether every set has its write quorum.', [[sets.every(({ canWrite }) => canWrite) ? 1 : 0]]],
    ['minio_cluster_drive_online_total', 'Drives in use.', [[online]]],
    ['minio_cluster_drive_offline_total', 'Drives taken out.', [[drives.length - online]]],
    ['minio_cluster_drive_total', 'Drives of the deployment.', [[drives.length]]],
    ['minio_cluster_write_quorum', 'Drives of a set that a write needs.', [[Math.max(...sets.map(({ writeQuorum }) => writeQuorum))]]],
    ['minio_cluster_capacity_raw_total_bytes', 'Space of all drives.', [[report.rawBytes]]],
    ['minio_cluster_capacity_raw_free_bytes', 'Free space of all drives.', [[report.rawFreeBytes]]],
    ['minio_cluster_capacity_usable_total_bytes', 'Space for data of the standard class.', [[report.usableBytes]]],
    ['minio_cluster_capacity_usable_free_bytes', 'Free space for data of the standard class.', [[report.usableFreeBytes]]],
    ['minio_node_drive_total_bytes', 'Space of a drive.', perDrive(({ totalBytes }) => totalBytes)],
    ['minio_node_drive_free_bytes', 'Free space of a drive.', perDrive(({ freeBytes }) => freeBytes)],
    ['minio_node_drive_online', 'Whether a drive is in use.', perDrive(drive => (isOnline(drive) ? 1 : 0))],
    ['minio_heal_objects_heal_total', 'Blobs that the latest walks over all drives healed.', [[healed]]],
    ['moraine_heal_waiting_blobs', 'Blobs whose shard waits for a drive, by the latest walk.', [[report.heal?.progress?.waitingBlobs ?? 0]]],
    ['moraine_heal_queued_blobs', 'Damaged blobs that the worker which answers knows of.', [[report.queuedBlobs]]],
    ['moraine_heal_running', 'Whether a walk that heals is under way.', [[report.heal?.state === 'running' ? 1 : 0]]],
    ['moraine_scrub_progress_ratio', 'How much of the latest scrub is done.', [[report.scrub?.progress === undefined ? 0 : report.scrub.progress.done / report.scrub.progress.directories]]],
  ]
  return rows.map(([name, help, samples]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${samples.map(sample => `${lineOf(name, sample)}\n`).join('')}`).join('')
}

function lineOf(name: string, [value, labels = {}]: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text.replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}
