/** The body of an answer as text. Throws when it is longer than `mostBytes`, and reads no further. */
export async function readAnswer({ body }: Response, mostBytes: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
    sizeBytes += piece.length
    if (sizeBytes > mostBytes) throw new Error(`an answer of more than ${mostBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
