/** MinIO's ways to sign in are in no SDK: their answers, read by hand. */
import { clientsOf, type Clients } from './connect.ts'

/** An answer's elements without children, by name: `AccessKeyId`, `Code`, … */
export async function fieldsOf(answer: Promise<Response>): Promise<Readonly<Record<string, string>>> {
  return elementsOf(await (await answer).text())
}

export function elementsOf(xml: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name = '', text = '']) => [name, text]))
}

/** The clients of the session that an answer brings. Throws when it brings none. */
export function sessionOf(endpoint: string, { AccessKeyId, SecretAccessKey, SessionToken, Code, Message }: Readonly<Record<string, string>>): Clients {
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) throw new Error(`no session: ${Code} ${Message}`)
  return clientsOf(endpoint, { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken })
}
