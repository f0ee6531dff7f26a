import type { Json } from './json.ts'
import { stringifyJson } from './stringify.ts'

/**
 * JSON text of values that are never mutated, remembered as long as the value: of two versions of a
 * table most members are the very same objects. Remembered texts are flat strings, made by one
 * `join`: a text that was added up from many is taken apart again each time it is written.
 */
const texts = new WeakMap<object, string>()

export function valueText(value: object): string {
  let text = texts.get(value)
  if (text === undefined) {
    text = stringifyJson(value as Json)
    texts.set(value, text)
  }
  return text
}

/** Between the items of a list. In our text a line feed is nowhere else. */
export const itemSeparator = ',\n'

const itemsTexts = new WeakMap<readonly object[], string>()

/** The text of a list's items, without brackets. */
export function itemsText(items: readonly object[]): string {
  let text = itemsTexts.get(items)
  if (text === undefined) {
    text = items.map((item) => stringifyJson(item as Json)).join(itemSeparator)
    itemsTexts.set(items, text)
  }
  return text
}

/** A new list with `item` at its end, whose text costs that of the item. */
export function withItem<T extends object>(items: readonly T[], item: T): readonly T[] {
  const list = [...items, item]
  const before = itemsTexts.get(items)
  if (before !== undefined && items.length > 0) itemsTexts.set(list, [before, stringifyJson(item as Json)].join(itemSeparator))
  return list
}

/** As `withItem`, without the oldest items of more than `limit`. */
export function withItemOf<T extends object>(items: readonly T[], item: T, limit: number): readonly T[] {
  const list = withItem(items, item)
  const surplus = Math.max(0, list.length - limit)
  if (surplus === 0) return list
  const kept = list.slice(surplus)
  const text = itemsTexts.get(list)
  if (text !== undefined) {
    const dropped = list.slice(0, surplus).reduce((length, each) => length + stringifyJson(each as unknown as Json).length + itemSeparator.length, 0)
    itemsTexts.set(kept, text.slice(dropped))
  }
  return kept
}
