import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** MinIO's names of a server certificate. */
const certificateNames = ['public.crt', 'private.key']

/** The certificate in a directory that asks for TLS, which is not served yet; undefined when there is none. */
export function findCertificate(directory: string): string | undefined {
  return certificateNames.map(name => join(directory, name)).find(path => existsSync(path))
}
