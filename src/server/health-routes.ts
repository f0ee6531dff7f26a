import type { FastifyInstance } from 'fastify'

/** What the probes ask. */
export interface Health {
  /** The stores answer. Never rejects. */
  isReady(): Promise<boolean>
}

/**
 * MinIO's health paths, for orchestrators that know them: 200, or 503 while the stores do not answer.
 * `live` says that the process serves requests, `cluster` and `cluster/read` that writes and reads
 * have their quorum, which on one drive is that the drive answers.
 */
export function registerHealthRoutes(app: FastifyInstance, health: Health): void {
  app.get('/minio/health/live', async (_request, reply) => reply.code(200).send())
  for (const path of ['ready', 'cluster', 'cluster/read']) {
    app.get(`/minio/health/${path}`, async (_request, reply) => {
      const ready = await health.isReady()
      if (path.startsWith('cluster')) void reply.header('x-minio-write-quorum', '1')
      return reply.code(ready ? 200 : 503).send()
    })
  }
}
