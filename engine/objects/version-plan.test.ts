import { describe, expect, it } from 'vitest'
import { assert, must } from '../../base/assert.ts'
import type { Versioning } from '../engine.ts'
import type { HeadRecord, VersionRecord } from '../records/version-record.ts'
import { placeOf, planDeleteCurrent, planHistoryDelete, planPromotion, planWrite, type WritePlan } from './version-plan.ts'

/** What AWS documents, told the long way: all versions of the key in a list, newest first. */
class ListModel {
  versions: { id: string; kind: 'object' | 'deleteMarker'; name: number }[] = []

  write(versioning: Versioning, kind: 'object' | 'deleteMarker', name: number): void {
    const id = versioning === 'Enabled' ? `own-${name}` : 'null'
    if (id === 'null') this.versions = this.versions.filter((version) => version.id !== 'null')
    this.versions.unshift({ id, kind, name })
  }

  deleteCurrent(versioning: Versioning, name: number): void {
    if (versioning === 'Unversioned') this.versions.shift()
    else this.write(versioning, 'deleteMarker', name)
  }

  deleteVersion(id: string): void {
    this.versions = this.versions.filter((version) => version.id !== id)
  }
}

/** The plans carried out over a head record and a map of noncurrent versions. */
class PlannedKey {
  head: HeadRecord | undefined
  readonly history = new Map<number, VersionRecord>()
  readonly names = new Map<number, number>()
  readonly ids = new Map<string, number>()

  write(versioning: Versioning, kind: 'object' | 'deleteMarker', name: number): void {
    this.#apply(planWrite(this.head, versioning, 0), kind, name)
  }

  deleteCurrent(versioning: Versioning, name: number): void {
    const plan = planDeleteCurrent(this.head, versioning, 0)
    if (plan.kind === 'addMarker') this.#apply(plan.write, 'deleteMarker', name)
    if (plan.kind === 'remove') this.deleteVersion(plan.version.versionId)
  }

  deleteVersion(id: string): void {
    const place = placeOf(this.head, id, this.ids.get(id))
    const newestOrder = Math.max(...this.history.keys())
    if (place.kind === 'head') {
      const newest = this.history.get(newestOrder)
      this.history.delete(newestOrder)
      this.head = planPromotion(must(this.head, 'there is a head'), newest, this.history.size > 0)
    } else if (place.kind === 'history' && this.history.has(place.order)) {
      this.history.delete(place.order)
      this.head = planHistoryDelete(must(this.head, 'there is a head'), place.order, this.history.size > 0)
    }
  }

  #apply(plan: WritePlan, kind: 'object' | 'deleteMarker', name: number): void {
    if (plan.before === 'demoted') {
      const { version } = must(this.head, 'a head is demoted')
      this.history.set(version.order, version)
    }
    if (plan.replacedOrder !== undefined) assert(this.history.delete(plan.replacedOrder), 'the replaced version is there')
    const versionId = plan.versionId === 'null' ? 'null' : `own-${name}`
    this.names.set(plan.order, name)
    if (versionId !== 'null') this.ids.set(versionId, plan.order)
    const version = { kind, versionId, order: plan.order, lastModifiedMs: 0, ownerId: '' } as VersionRecord
    this.head = { version, nullOrder: plan.nullOrder, hasHistory: plan.hasHistory, pins: 0 }
  }

  list(): ListModel['versions'] {
    const orders = [...this.history.keys()].sort((a, b) => b - a)
    const all = [this.head?.version, ...orders.map((order) => this.history.get(order))]
    return all.flatMap((version) =>
      version === undefined ? [] : [{ id: version.versionId, kind: version.kind, name: must(this.names.get(version.order), 'it has a name') }],
    )
  }
}

type Step = (key: ListModel | PlannedKey, versioning: Versioning, name: number) => Versioning

const steps: Readonly<Record<string, Step>> = {
  put: (key, versioning, name) => (key.write(versioning, 'object', name), versioning),
  delete: (key, versioning, name) => (key.deleteCurrent(versioning, name), versioning),
  deleteNull: (key, versioning) => (key.deleteVersion('null'), versioning),
  deleteFirst: (key, versioning) => (key.deleteVersion('own-0'), versioning),
  deleteLatest: (key, versioning) => {
    const [latest] = key instanceof ListModel ? key.versions : key.list()
    if (latest !== undefined) key.deleteVersion(latest.id)
    return versioning
  },
  enable: () => 'Enabled',
  suspend: () => 'Suspended',
}

function checkAll(depth: number, path: readonly string[]): number {
  let checked = check(path) ? 1 : 0
  if (depth === 0) return checked
  for (const name of Object.keys(steps)) checked += checkAll(depth - 1, [...path, name])
  return checked
}

function check(path: readonly string[]): boolean {
  const model = new ListModel()
  const planned = new PlannedKey()
  let versioning: Versioning = 'Unversioned'
  path.forEach((name, index) => {
    const step = must(steps[name], 'the step exists')
    step(planned, versioning, index)
    versioning = step(model, versioning, index)
  })
  const explanation = path.join(' ')
  expect(planned.list(), explanation).toEqual(model.versions)
  const { head, history } = planned
  expect(head?.hasHistory ?? false, explanation).toBe(history.size > 0)
  const nullOrders = [...history].filter(([, { versionId }]) => versionId === 'null').map(([order]) => order)
  expect(head?.nullOrder === undefined ? [] : [head.nullOrder], explanation).toEqual(nullOrders)
  return true
}

describe('versioning', () => {
  it('does to a key what AWS documents, for every sequence of six operations', () => {
    const count = Object.keys(steps).length
    const all = Array.from({ length: 7 }, (_, length) => count ** length).reduce((sum, n) => sum + n, 0)
    expect(checkAll(6, [])).toBe(all)
  })
})
