import { object, string } from '../json/decode.ts'

/** As AIStor and AWS's S3 Tables have it: the document is a text. */
export const decodePolicyRequest = object({ resourcePolicy: string })
