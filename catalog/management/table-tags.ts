import { badRequest } from '../errors.ts'
import { object, record, string } from '../json/decode.ts'
import type { Json } from '../json/json.ts'
import { decodeRequest } from '../rest/operation.ts'

/** AWS's bounds: https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3TableBuckets_TagResource.html */
const mostTags = 50
const maxNameCharacters = 128
const maxValueCharacters = 256

const decodeTags = object({ tags: record(string) })

/** The tags of `{"tags": {…}}`; `BadRequest`. */
export function tagsIn(body: Json | undefined): Readonly<Record<string, string>> {
  const { tags } = decodeRequest(decodeTags, body ?? {})
  for (const [name, value] of Object.entries(tags)) {
    if (name === '' || name.length > maxNameCharacters || value.length > maxValueCharacters || /[,\p{Cc}]/u.test(name)) throw badRequest(`Invalid tag: ${name}`)
  }
  return tags
}

/** The names of `tagKeys=a,b`; `BadRequest` when there are none. */
export function tagNamesIn({ tagKeys }: Readonly<Record<string, string | undefined>>): readonly string[] {
  const names = (tagKeys ?? '').split(',').filter((name) => name !== '')
  if (names.length === 0) throw badRequest('Missing parameter: tagKeys')
  return names
}

export function requireFew(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > mostTags) throw badRequest(`Too many tags: ${mostTags} at most`)
}
