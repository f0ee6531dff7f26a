import { Busboy } from '@fastify/busboy'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { KiB } from '../../base/units.ts'
import { S3Error } from '../wire/errors.ts'

/** AWS's bound on everything before the file. */
const preDataLimitBytes = 20 * KiB
const fieldLimit = 100

/** A form as far as its file: fields that come after it are ignored, as AWS does. */
export interface UploadForm {
  /** Lower-case names; the first of a repeated one. */
  readonly fields: ReadonlyMap<string, string>
  readonly file: Readable
  readonly fileName: string
}

/** Reads a multipart/form-data body up to its file. Errors: MalformedPOSTRequest, MaxPostPreDataLengthExceededError, InvalidArgument (no file). */
export function readUploadForm(request: IncomingMessage): Promise<UploadForm> {
  const contentType = request.headers['content-type']
  if (contentType === undefined || !/^multipart\/form-data/i.test(contentType)) {
    return Promise.reject(new S3Error('PreconditionFailed', undefined, { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' }))
  }
  return new Promise((resolve, reject) => {
    const parser = parserOf(contentType)
    const fields = new Map<string, string>()
    let fieldBytes = 0
    let seenFile = false
    const fail = (error: S3Error) => {
      request.unpipe(parser)
      reject(error)
    }
    parser.on('field', (name, value, nameCut, valueCut) => {
      if (seenFile) return
      fieldBytes += Buffer.byteLength(name) + Buffer.byteLength(value)
      if (nameCut || valueCut || fieldBytes > preDataLimitBytes) fail(new S3Error('MaxPostPreDataLengthExceededError'))
      const lowerName = name.toLowerCase()
      if (!fields.has(lowerName)) fields.set(lowerName, value)
    })
    parser.on('file', (name, file, fileName) => {
      if (seenFile || name.toLowerCase() !== 'file') {
        file.resume()
        return
      }
      seenFile = true
      resolve({ fields, file, fileName: baseName(fileName) })
    })
    parser.on('fieldsLimit', () => fail(new S3Error('MaxPostPreDataLengthExceededError')))
    parser.on('error', () => fail(new S3Error('MalformedPOSTRequest')))
    parser.on('finish', () => reject(new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.', { ArgumentName: 'file', ArgumentValue: '0' })))
    request.on('aborted', () => parser.destroy(new S3Error('IncompleteBody')))
    request.pipe(parser)
  })
}

function parserOf(contentType: string): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { fieldSize: preDataLimitBytes, fields: fieldLimit, files: 2, headerPairs: 20 },
      preservePath: true,
      // The file may be plain text of a form's field, without a name of its own.
      isPartAFile: (name, _contentType, fileName) => fileName !== undefined || name?.toLowerCase() === 'file',
    })
  } catch {
    throw new S3Error('MalformedPOSTRequest')
  }
}

/** Browsers send a bare name; older ones a path. */
const baseName = (fileName: string | undefined): string => (fileName ?? '').split(/[\\/]/).at(-1) ?? ''
