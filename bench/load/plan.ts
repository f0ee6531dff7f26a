/** What one run of the load generator does; passed to it as JSON. */
export const operations = ['PUT', 'GET', 'HEAD', 'LIST', 'DELETE', 'MIXED', 'MULTIPART'] as const
export type Operation = (typeof operations)[number]

/** MULTIPART: parts of one upload, each of the plan's size, sent one after the other. */
export const partsOfUpload = 4

export interface Target {
  readonly name: string
  readonly url: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Plan {
  readonly target: Target
  readonly bucket: string
  readonly operation: Operation
  readonly sizeBytes: number
  readonly concurrency: number
  readonly warmUpMs: number
  readonly durationMs: number
  /** Objects that exist before the measurement: what is read, listed or deleted. */
  readonly preloaded: number
  /** Bodies signed by their SHA-256, or sent as UNSIGNED-PAYLOAD. */
  readonly payload: 'signed' | 'unsigned'
  /** Separates the keys of rounds. */
  readonly round: number
  /** The objects of `preloaded` are there already: nothing is written but what is measured. */
  readonly isPrepared?: boolean
  /** A process of this machine: what it and its children use of the CPU meanwhile is told. */
  readonly serverPid?: number
}

export interface Measured {
  readonly operations: number
  readonly errors: number
  readonly bytes: number
  readonly seconds: number
  /** Of one core, by the generator itself. */
  readonly generatorCpu: number
  /** Seconds of CPU time of the server and its children; 0 where it is not known. */
  readonly serverCpuSeconds: number
  readonly latency: readonly [microseconds: number, count: number][]
  /** One of the errors, to show. */
  readonly firstError?: string
}
