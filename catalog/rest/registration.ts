import type { CatalogTransaction } from '../catalog-store.ts'
import type { CatalogContext } from '../context.ts'
import { newUuid } from '../ids.ts'
import { boolean, object, string, withDefault } from '../json/decode.ts'
import { checkLocation } from '../locations.ts'
import type { MetadataFile } from '../rows/rows.ts'
import { checkIdentifier, type TableIdentifier } from '../spec/identifier.ts'
import { decodeBody, namespaceOf, type OperationInput } from './operation.ts'

/** What registering a table or a view is asked with. */
export interface Registration {
  readonly identifier: TableIdentifier
  readonly metadataLocation: string
  /** Tables only. */
  readonly overwrite: boolean
}

const decodeRequest = object({ name: string, 'metadata-location': string, overwrite: withDefault(boolean, false) })

export function readRegistration(input: OperationInput): Registration {
  const { name, overwrite, 'metadata-location': location } = decodeBody(decodeRequest, input)
  const identifier = { namespace: namespaceOf(input), name }
  checkIdentifier(identifier)
  return { identifier, overwrite, metadataLocation: checkLocation(input.warehouse, location) }
}

/** Pins a metadata file that a client wrote, so that it is read as it will stay: what any worker knows of it may be out of date. */
export async function adoptMetadataFile(tx: CatalogTransaction, { random }: CatalogContext, metadataLocation: string): Promise<MetadataFile> {
  await tx.pinFile(metadataLocation)
  return { metadataLocation, fileTag: newUuid(random) }
}
