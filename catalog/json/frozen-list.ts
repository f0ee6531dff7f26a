import type { Json } from './json.ts'
import { stringifyJson } from './stringify.ts'

/**
 * Long lists that only grow (snapshots, snapshot logs) keep their JSON text, so that writing a list
 * with one more item costs the item and a copy of the text. For lists and items that are never mutated.
 */
const itemsText = new WeakMap<readonly object[], string>()

export function stringifyFrozenList(items: readonly object[]): string {
  let text = itemsText.get(items)
  if (text === undefined) {
    text = items.map((item) => stringifyJson(item as Json)).join(',')
    itemsText.set(items, text)
  }
  return `[${text}]`
}

/** A new list with `item` at its end. */
export function appendFrozen<T extends object>(items: readonly T[], item: T): readonly T[] {
  const appended = [...items, item]
  const before = itemsText.get(items)
  if (before !== undefined) itemsText.set(appended, before === '' ? stringifyJson(item as Json) : `${before},${stringifyJson(item as Json)}`)
  return appended
}
