import type { QueryError } from './query-error.ts'
import type { QueryModel, QueryOperation } from './query-operations.ts'
import { compileXmlWriter, type XmlWriter } from './xml-writer.ts'
import { escapeText } from './xml-text.ts'

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'

const writers = new WeakMap<QueryOperation, XmlWriter>()

/**
 * The answer's XML: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#response-serialization. An operation without an
 * output has no result element, as AWS.
 */
export function writeQuery(model: QueryModel, operation: QueryOperation, output: object, requestId: string): string {
  const { name, output: shape } = operation
  let write = writers.get(operation)
  if (write === undefined) {
    write = compileXmlWriter(shape)
    writers.set(operation, write)
  }
  const result = shape.name === 'Unit' ? '' : `<${name}Result>${write(output)}</${name}Result>`
  return `${declaration}<${name}Response xmlns="${model.namespace}">${result}<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>`
}

export function writeQueryError(namespace: string, { code, message, status }: QueryError, requestId: string): string {
  const type = status >= 500 ? 'Receiver' : 'Sender'
  const error = `<Error><Type>${type}</Type><Code>${code}</Code><Message>${escapeText(message)}</Message></Error>`
  return `${declaration}<ErrorResponse xmlns="${namespace}">${error}<RequestId>${requestId}</RequestId></ErrorResponse>`
}
