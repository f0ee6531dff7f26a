import type { FastifyInstance } from 'fastify'
import type { SetStatus } from '../../engine/index.ts'

/** What the probes ask. */
export interface Health {
  /** The stores answer. Never rejects. */
  isReady(): Promise<boolean>
  /** As this worker sees the drives. */
  sets(): readonly SetStatus[]
}

/**
 * MinIO's health paths, for orchestrators that know them: 200, or 503 while the stores do not answer.
 * `live` says that the process serves requests, `cluster` and `cluster/read` that every set of drives
 * has its write or read quorum, `cluster?maintenance=true` that it has it with one drive less (412 if not).
 */
export function registerHealthRoutes(app: FastifyInstance, health: Health): void {
  app.get('/minio/health/live', async (_request, reply) => reply.code(200).send())
  app.get('/minio/health/ready', async (_request, reply) => reply.code((await health.isReady()) ? 200 : 503).send())
  app.get<{ Querystring: { readonly maintenance?: string } }>('/minio/health/cluster', async (request, reply) => {
    const sets = health.sets()
    void reply.header('x-minio-write-quorum', String(most(sets, set => set.writeQuorum)))
    const isServing = (await health.isReady()) && sets.every(({ canWrite }) => canWrite)
    const isSpare = sets.every(({ online, writeQuorum }) => online > writeQuorum)
    const status = !isServing ? 503 : request.query.maintenance === 'true' && !isSpare ? 412 : 200
    if (sets.some(({ online, drives }) => online < drives)) void reply.header('x-minio-server-status', 'degraded')
    return reply.code(status).send()
  })
  app.get('/minio/health/cluster/read', async (_request, reply) => {
    const sets = health.sets()
    void reply.header('x-minio-read-quorum', String(most(sets, set => set.readQuorum)))
    return reply.code((await health.isReady()) && sets.every(({ canRead }) => canRead) ? 200 : 503).send()
  })
}

function most(sets: readonly SetStatus[], count: (set: SetStatus) => number): number {
  return Math.max(1, ...sets.map(count))
}
