import type { Engine } from '../../engine/index.ts'
import type { CatalogRights } from './authorize.ts'

/** The tags that `PutBucketTagging` gave a warehouse's bucket: stored as JSON of the S3 structure. */
export function bucketTagsOf(engine: Pick<Engine, 'getBucketDocument'>): CatalogRights['bucketTags'] {
  return async (bucket) => {
    const stored = await engine.getBucketDocument(bucket, 'tagging')
    if (stored === undefined) return {}
    const { TagSet: tags = [] } = JSON.parse(stored.toString('utf8')) as { readonly TagSet?: readonly { readonly Key?: string; readonly Value?: string }[] }
    return Object.fromEntries(tags.map(({ Key: key = '', Value: value = '' }) => [key, value]))
  }
}
