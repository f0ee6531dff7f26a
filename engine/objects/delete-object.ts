import { unreachable } from '../../base/assert.ts'
import type { DeleteObject, DeleteResult } from '../engine.ts'
import { orderOfVersionId } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { VersionRecord } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { commit, type EngineContext } from './context.ts'
import { emitObjectEvent, type KeyState, loadKey, loadVersion, publish, readBucket, removeHead, removeNoncurrent } from './key-state.ts'
import { placeOf, planDeleteCurrent } from './version-plan.ts'

/** DeleteObject. Commit point: one commit that checks conditions and removes the version or adds the marker. */
export function deleteObject(context: EngineContext, input: DeleteObject): Promise<DeleteResult> {
  return commit(context, async (tx) => {
    const state = await loadKey(tx, await readBucket(tx, input.bucket), input.key)
    const target = await loadVersion(tx, state, input.versionId)
    evaluateConditions('delete', target, input.conditions)
    if (input.versionId === undefined) return deleteCurrent(context, tx, state, input.ownerId)
    return target === undefined ? { did: 'nothing' } : deleteVersion(context, tx, state, target)
  })
}

/** What a delete without a version id does to a key. */
export async function deleteCurrent(context: EngineContext, tx: Transaction, state: KeyState, ownerId: string): Promise<DeleteResult> {
  const plan = planDeleteCurrent(state.head, state.bucket.versioning, context.clock.nowMs())
  switch (plan.kind) {
    case 'nothing':
      return { did: 'nothing' }
    case 'remove':
      return deleteVersion(context, tx, state, plan.version)
    case 'addMarker': {
      const marker = await publish(context, tx, state, plan.write, { kind: 'deleteMarker', ownerId })
      emitObjectEvent(context, tx, 'ObjectRemoved:DeleteMarkerCreated', state, marker)
      return { did: 'createdMarker', versionId: marker.versionId }
    }
    default:
      return unreachable(plan)
  }
}

async function deleteVersion(context: EngineContext, tx: Transaction, state: KeyState, version: VersionRecord): Promise<DeleteResult> {
  const { versionId } = version
  const place = placeOf(state.head, versionId, orderOfVersionId(versionId))
  if (place.kind === 'history') await removeNoncurrent(context, tx, state, place.order)
  else await removeHead(context, tx, state)
  emitObjectEvent(context, tx, 'ObjectRemoved:Delete', state, version)
  if (version.kind === 'deleteMarker') return { did: 'deletedMarker', versionId }
  return { did: 'deletedVersion', versionId: state.bucket.versioning === 'Unversioned' ? undefined : versionId }
}
