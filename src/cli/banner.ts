import { authorityOf } from '../config/values.ts'
import type { Config } from '../config/parse-config.ts'
import { engineSnippets } from './engine-settings.ts'

export interface BannerFacts {
  readonly config: Config
  readonly version: string
  readonly port: number
  readonly workers: number
  /** The one shown in the engines' settings. */
  readonly warehouse: string
  readonly isTls: boolean
  /** The output is a terminal that shows colours. */
  readonly colours: boolean
}

/** What the server prints once it serves. A configured secret is never shown. */
export function banner({ config, version, port, workers, warehouse, isTls, colours }: BannerFacts): string {
  const bold = (text: string) => (colours ? `\u001B[1m${text}\u001B[22m` : text)
  const dim = (text: string) => (colours ? `\u001B[2m${text}\u001B[22m` : text)
  const endpoint = config.serverUrl ?? `${isTls ? 'https' : 'http'}://${authorityOf({ ...config.address, port })}`
  const { user, password, areDefault } = config.root
  const snippets = engineSnippets({
    endpoint,
    region: config.region ?? 'us-east-1',
    warehouse,
    accessKeyId: user,
    secretAccessKey: areDefault ? password : 'YOUR_ROOT_PASSWORD',
  })
  const rows: readonly (readonly [string, string])[] = [
    ['S3', endpoint],
    ['Iceberg REST', `${endpoint}/iceberg`],
    ['Access key', areDefault ? `${user} / ${password} (on loopback only: set MORAINE_ROOT_USER and MORAINE_ROOT_PASSWORD)` : user],
    [config.drives.length === 1 ? 'Drive' : 'Drives', config.drives.join(' ')],
    ['Workers', String(workers)],
  ]
  return [
    '',
    bold(`Moraine ${version}`),
    ...rows.map(([name, value]) => `  ${dim(name.padEnd(13))} ${value}`),
    ...snippets.flatMap(({ engine, where, text }) => ['', `${bold(engine)} ${dim(`(${where})`)}`, ...text.split('\n').map(line => `  ${line}`)]),
    '',
    '',
  ].join('\n')
}
