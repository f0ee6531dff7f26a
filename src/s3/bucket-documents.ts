/** The configuration documents a bucket may have, by the name they are stored under. */
export type BucketDocument = 'tagging' | 'cors' | 'website' | 'policy' | 'ownershipControls' | 'publicAccessBlock' | 'acl'

/** Documents are stored as JSON of the schema's own structure. */
export const encodeDocument = (document: object): Buffer => Buffer.from(JSON.stringify(document), 'utf8')

export const decodeDocument = <T>(stored: Buffer): T => JSON.parse(stored.toString('utf8')) as T
