/**
 * How fast each checksum runs on one core, in pieces of 64 KiB: `node bench/micro/checksums.ts`. The best of many short runs.
 * The bound for CRC64NVME, which every upload without a checksum gets, is 1.5 GB/s; exits 1 below it.
 */
import { BodyDigests } from '../../src/checksums/body-digests.ts'
import { checksumAlgorithms, runningChecksum } from '../../src/checksums/checksum.ts'
import { combineCrc } from '../../src/checksums/combine.ts'

const boundGigabytes = 1.5
const piece = Buffer.alloc(64 * 1024, 'moraine')
const pieces = 32

/** Milliseconds of the fastest of 40 runs. */
function fastestMs(run: () => void): number {
  let best = Infinity
  for (let turn = 0; turn < 40; turn++) {
    const startMs = performance.now()
    run()
    best = Math.min(best, performance.now() - startMs)
  }
  return best
}

const speeds = new Map<string, number>()
for (const algorithm of checksumAlgorithms) {
  const ms = fastestMs(() => {
    const running = runningChecksum(algorithm)
    for (let count = 0; count < pieces; count++) running.update(piece)
    running.digest()
  })
  const gigabytes = (pieces * piece.length) / 1e6 / ms
  speeds.set(algorithm, gigabytes)
  console.log(`${algorithm.padEnd(10)} ${gigabytes.toFixed(2)} GB/s`)
}

/** Bodies that arrive at the same time, their pieces in no order: processor time, over all of them. */
for (const streams of [1, 2, 4, 8]) {
  const running = Array.from({ length: streams }, () => runningChecksum('MD5'))
  const updates = 4000
  let roll = 1
  const before = process.cpuUsage()
  for (let count = 0; count < updates; count++) {
    roll = (Math.imul(roll, 1_664_525) + 1_013_904_223) >>> 0
    running[Math.floor((roll / 2 ** 32) * streams)]?.update(piece)
  }
  for (const one of running) one.digest()
  const { user, system } = process.cpuUsage(before)
  console.log(`MD5 of ${streams} streams at once: ${((updates * piece.length) / 1000 / (user + system)).toFixed(2)} GB/s`)
}

for (const sizeBytes of [4 * 1024, 64 * 1024]) {
  const small = piece.subarray(0, sizeBytes)
  const ms = fastestMs(() => {
    for (let count = 0; count < 200; count++) {
      const digests = new BodyDigests(['MD5', 'CRC64NVME', 'SHA256'])
      digests.update(small)
      digests.etag()
      digests.base64('CRC64NVME')
      digests.digest('SHA256')
    }
  })
  console.log(`MD5, CRC64NVME and SHA256 of ${sizeBytes / 1024} KiB: ${((ms * 1000) / 200).toFixed(1)} µs`)
}

for (const [what, lengthOf] of [['equal', () => 8 << 20], ['different', (part: number) => (8 << 20) + part]] as const) {
  const ms = fastestMs(() => {
    let whole = 'AAAAAAAAAAE='
    for (let part = 0; part < 1000; part++) whole = combineCrc('CRC64NVME', whole, 'AAAAAAAAAAI=', lengthOf(part))
  })
  console.log(`combining the CRC64NVME of 10,000 parts of ${what} lengths: ${(ms * 10).toFixed(0)} ms`)
}

if ((speeds.get('CRC64NVME') ?? 0) < boundGigabytes) {
  console.error(`CRC64NVME is below the bound of ${boundGigabytes} GB/s`)
  process.exitCode = 1
}
