import { decodeDocument, encodeDocument } from './bucket-documents.ts'
import type { Engine } from '../../engine/index.ts'
import type { PublicAccessBlock } from './bucket-access.ts'

/** Among the engine's extension rows. */
const rowOf = (accountId: string): Buffer => Buffer.from(`s3/account/${accountId}/publicAccessBlock`)

/** The account's own Block Public Access, over all its buckets; undefined: never set, which blocks nothing. */
export async function readAccountBlock({ extensions }: Pick<Engine, 'extensions'>, accountId: string): Promise<PublicAccessBlock | undefined> {
  const stored = await extensions.get(rowOf(accountId))
  return stored === undefined ? undefined : decodeDocument<PublicAccessBlock>(stored)
}

/** One commit; `undefined` removes it. */
export async function writeAccountBlock(engine: Pick<Engine, 'transact'>, accountId: string, block: PublicAccessBlock | undefined): Promise<void> {
  await engine.transact(async ({ extensions }) => {
    const row = rowOf(accountId)
    if (block !== undefined) extensions.put(row, encodeDocument(block))
    else if ((await extensions.get(row)) !== undefined) extensions.delete(row)
  })
}
