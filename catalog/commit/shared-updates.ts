import { array, int32, record, string } from '../json/decode.ts'
import type { JsonObject } from '../json/json.ts'

/** The changes that tables and views have in common. */
export type SharedUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly formatVersion: number }
  | { readonly action: 'set-location'; readonly location: string }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }

/** A decoder for each kind of update. */
export type UpdateDecoders<U extends { readonly action: string }> = { readonly [A in U['action']]: (source: JsonObject, at: string) => Extract<U, { action: A }> }

export const sharedDecoders: UpdateDecoders<SharedUpdate> = {
  'assign-uuid': (source, at) => ({ action: 'assign-uuid', uuid: string(source['uuid'], `${at}.uuid`) }),
  'upgrade-format-version': (source, at) => ({
    action: 'upgrade-format-version',
    formatVersion: int32(source['format-version'], `${at}.format-version`),
  }),
  'set-location': (source, at) => ({ action: 'set-location', location: string(source['location'], `${at}.location`) }),
  // `updated` and `removed` are the names that clients before 1.0 sent.
  'set-properties': (source, at) => ({
    action: 'set-properties',
    updates: record(string)(source['updates'] ?? source['updated'], `${at}.updates`),
  }),
  'remove-properties': (source, at) => ({
    action: 'remove-properties',
    removals: array(string)(source['removals'] ?? source['removed'], `${at}.removals`),
  }),
}
