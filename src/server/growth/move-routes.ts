import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SetGrowth, SetRecord } from '../../../engine/index.ts'
import { isOperator, type OperatorKeys } from '../operator.ts'
import type { DrainRow, MoveRows, RebalanceRow } from './move-rows.ts'

export interface MoveRoutesOptions extends OperatorKeys {
  /** Undefined on one drive. */
  readonly growth: SetGrowth | undefined
  readonly rows: MoveRows
  readonly nextId: () => string
}

/** What `GET /_moraine/v1/moves` answers. Sets are counted from 1, as everywhere people see them. */
export interface MovesReport {
  readonly decommissions: readonly ({ readonly set: number; readonly hasMetadata: boolean } & SetRecord & { readonly progress: DrainRow['progress'] | undefined })[]
  readonly rebalance: RebalanceRow | undefined
}

/**
 * Sets of drives for operators: `GET /_moraine/v1/moves`, `POST` and `DELETE /_moraine/v1/sets/N/decommission`, `POST` and
 * `DELETE /_moraine/v1/rebalance`, signed by the root account.
 */
export function registerMoveRoutes(app: FastifyInstance, options: MoveRoutesOptions): void {
  const { growth, rows, clock, nextId } = options
  const forOperator = (work: (sets: SetGrowth, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>) => async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (!(await isOperator(request, options))) return refuse(reply, 403, 'AccessDenied', 'Access Denied.')
    return growth === undefined ? refuse(reply, 400, 'OneSet', 'The deployment has one set of drives.') : work(growth, request, reply)
  }
  app.get('/_moraine/v1/moves', forOperator(async (sets, _request, reply) => reply.header('cache-control', 'no-store').send(await reportOf(sets, rows))))
  app.post('/_moraine/v1/sets/:set/decommission', forOperator(async (sets, request, reply) => {
    const set = setOf(request)
    switch (await sets.beginDrain(set)) {
      case 'unknown':
        return refuse(reply, 404, 'NoSuchSet', `There is no set ${set + 1}.`)
      case 'lastSet':
        return refuse(reply, 409, 'LastSet', 'No other set would take the blobs: add one first.')
      case 'begun':
      case 'already':
        return reply.code(202).send({ set: set + 1 })
    }
  }))
  app.delete('/_moraine/v1/sets/:set/decommission', forOperator(async (sets, request, reply) => {
    const set = setOf(request)
    return (await sets.cancelDrain(set)) ? reply.code(200).send({ set: set + 1 }) : refuse(reply, 409, 'NotRunning', `No decommission of set ${set + 1} is under way.`)
  }))
  app.post('/_moraine/v1/rebalance', forOperator(async (sets, _request, reply) => {
    if (sets.activeSets < 2) return refuse(reply, 400, 'OneSet', 'There are no two sets of drives that take blobs.')
    const nowMs = clock.nowMs()
    return reply.code(202).send(await rows.beginRebalance({ id: nextId(), state: 'running', startedAtMs: nowMs, updatedAtMs: nowMs, progress: undefined }))
  }))
  app.delete('/_moraine/v1/rebalance', forOperator(async (_sets, _request, reply) => {
    const isCancelled = await rows.putRebalance({ state: 'cancelled', updatedAtMs: clock.nowMs() })
    return isCancelled ? reply.code(200).send({}) : refuse(reply, 409, 'NotRunning', 'No rebalance is under way.')
  }))
}

export async function reportOf(growth: SetGrowth, rows: MoveRows): Promise<MovesReport> {
  const states = [...(await growth.states())]
  const decommissions = await Promise.all(states.map(async ([set, record]) => {
    const row = await rows.drain(set)
    // One that is empty was given another time, and its progress is still the drain's.
    return { set: set + 1, hasMetadata: growth.hasMetadata(set), ...record, progress: record.state !== 'empty' && row?.sinceMs !== record.sinceMs ? undefined : row?.progress }
  }))
  return { decommissions, rebalance: await rows.rebalance() }
}

/** From 0; -1 for what is no number of a set. */
function setOf({ params }: FastifyRequest): number {
  const { set } = params as { readonly set: string }
  return /^[1-9]\d{0,4}$/.test(set) ? Number(set) - 1 : -1
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ code, message })
}
