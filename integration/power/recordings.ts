/** The recordings that are cut: each a set of disks, and what happens to them meanwhile. */
import type { PowerOptions } from './power-cuts.ts'

export interface Recording extends Omit<PowerOptions, 'program' | 'seed'> {
  readonly name: string
}

export const recordings: readonly Recording[] = [
  { name: 'one drive', disks: 1, parity: 0, points: 150, loadMs: 4000 },
  { name: 'four drives, of which two may be lost', disks: 4, parity: 2, points: 75, loadMs: 4000 },
  { name: 'four drives that fill up', disks: 4, parity: 2, points: 18, loadMs: 4000, imageMiB: 60 },
  {
    name: 'three drives, of which one is slow, then full, then fails', disks: 3, parity: 1, points: 75, loadMs: 6000,
    faults: [
      { afterMs: 1000, disk: 1, fault: { delayMs: 20 } },
      { afterMs: 2000, disk: 1, fault: {} },
      { afterMs: 2500, disk: 1, fault: { errno: 'ENOSPC' } },
      { afterMs: 3500, disk: 1, fault: {} },
      { afterMs: 4000, disk: 1, fault: { errno: 'EIO', reads: true } },
    ],
  },
]
