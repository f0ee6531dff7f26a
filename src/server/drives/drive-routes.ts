import type { FastifyInstance, FastifyReply } from 'fastify'
import type { DriveKeeper, DrivesStatus } from '../../../engine/index.ts'
import type { MovesReport } from '../growth/move-routes.ts'
import { isOperator, type OperatorKeys } from '../operator.ts'
import type { CareRows, CopiesState, HealRequest, WalkState } from './care-rows.ts'
import { metricsText } from './metrics-text.ts'
import { isPrometheusToken } from './prometheus-token.ts'

export interface DriveRoutesOptions extends OperatorKeys {
  readonly keeper: DriveKeeper
  readonly rows: CareRows
  /** What is moved between sets; undefined on one drive. */
  readonly moves: () => Promise<MovesReport | undefined>
  readonly nextId: () => string
  readonly version: string
  readonly root: { readonly user: string; readonly password: string }
  /** `public`: metrics are shown to anybody. */
  readonly metricsAuthentication: 'jwt' | 'public'
}

/** What `GET /_moraine/v1/drives` answers: `moraine status`. */
export interface DrivesReport extends DrivesStatus {
  readonly heal: WalkState | undefined
  readonly scrub: WalkState | undefined
  /** The walk over the copies of the metadata. */
  readonly metadata: CopiesState | undefined
  readonly request: HealRequest | undefined
  readonly moves: MovesReport | undefined
}

/**
 * The drives for operators: `GET /_moraine/v1/drives` and `POST /_moraine/v1/heal`, signed by the root account, and
 * Prometheus metrics at MinIO's paths, with the token that `mc admin prometheus generate` makes.
 */
export function registerDriveRoutes(app: FastifyInstance, options: DriveRoutesOptions): void {
  const { keeper, rows, nextId, clock } = options
  const report = async (): Promise<DrivesReport> => ({
    ...(await keeper.status()), heal: await rows.walk('heal'), scrub: await rows.walk('scrub'), metadata: await rows.copies(), request: await rows.request(), moves: await options.moves(),
  })
  app.get('/_moraine/v1/drives', async (request, reply) => {
    if (!(await isOperator(request, options))) return refuse(reply)
    return reply.header('cache-control', 'no-store').send(await report())
  })
  app.post('/_moraine/v1/heal', async (request, reply) => {
    if (!(await isOperator(request, options))) return refuse(reply)
    if (!keeper.isErasureCoded) return reply.code(400).send({ code: 'NothingToHealFrom', message: 'One drive keeps whole blobs: there is nothing to heal from.' })
    const asked: HealRequest = { id: nextId(), requestedAtMs: clock.nowMs() }
    await rows.putRequest(asked)
    return reply.code(202).send(asked)
  })
  for (const path of ['cluster', 'node']) {
    app.get(`/minio/v2/metrics/${path}`, async (request, reply) => {
      const isAllowed = options.metricsAuthentication === 'public' || isPrometheusToken(request.headers.authorization, options.root, clock.nowMs())
      if (!isAllowed) return refuse(reply)
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(metricsText(await report(), options.version))
    })
  }
}

function refuse(reply: FastifyReply): FastifyReply {
  return reply.code(403).send({ code: 'AccessDenied', message: 'Access Denied.' })
}
