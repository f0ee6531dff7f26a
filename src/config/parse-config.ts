/** The configuration of `moraine server`, parsed once; pure but for `readFile`. */
import {
  readConfigFile, readEnvironment, readFlags, readMinioNames, readMoraineNames, readOptionsVariable,
  type Environment, type Found, type Layer, type Notices, type ReadFile,
} from './layers.ts'
import { defaultPassword, defaultUser, settings, sources, type Setting, type SettingKey, type SettingValues } from './settings.ts'
import { isLoopback, ValueError, type ListenAddress } from './values.ts'
import { expandEllipses } from './words.ts'

export interface Config extends Omit<SettingValues, 'address' | 'drives' | 'rootUser' | 'rootPassword'> {
  /** One, or those of the deployment's sets in order. */
  readonly drives: readonly string[]
  readonly address: ListenAddress
  readonly root: RootCredentials
}

export interface RootCredentials {
  readonly user: string
  readonly password: string
  /** The well-known ones, because none are configured. */
  readonly areDefault: boolean
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  /** Each problem names the setting and where it stood. */
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * `argv` is what follows `server`. From strongest to weakest: command line, `MORAINE_*`, the
 * settings file, `MINIO_OPTS`, `MINIO_*`, defaults. Ours win over MinIO's.
 */
export function parseConfig({ argv, env, readFile }: { readonly argv: readonly string[]; readonly env: Environment; readonly readFile: ReadFile }): ParsedConfig {
  const notices: Notices = { problems: [], warnings: [] }
  const environment = readEnvironment(env, readFile, notices)
  const flags = readFlags(argv, '', notices)
  const options = readOptionsVariable(environment, notices)
  const configPath = flags.config ?? environment[sources.config.name] ?? options.config
  const layers: readonly Layer[] = [
    flags.layer,
    readMoraineNames(environment, readFile, notices),
    readConfigFile(configPath === '' ? undefined : configPath, readFile, notices),
    options.layer,
    readMinioNames(environment, readFile, notices),
  ]
  const values = readValues(layers, notices)
  const drives = readDrives([flags.words, options.words].find(words => words.length > 0) ?? values.drives, notices)
  const root = readRoot(values, notices)
  const address = readAddress(values.address, root, notices)
  if (values.consoleAddress !== undefined) notices.warnings.push('there is no console yet: the console address is ignored')
  if (notices.problems.length > 0) return { ok: false, problems: notices.problems }
  const { address: _address, drives: _drives, rootUser: _user, rootPassword: _password, ...rest } = values
  return { ok: true, config: { ...rest, drives, root, address }, warnings: notices.warnings }
}

function readValues(layers: readonly Layer[], { problems }: Notices): SettingValues {
  const keys = Object.keys(settings) as SettingKey[]
  const pairs = keys.map(key => {
    const found = layers.find(layer => layer[key] !== undefined)?.[key]
    return [key, found === undefined ? settings[key].fallback : readValue(settings[key], found, problems)] as const
  })
  return Object.fromEntries(pairs) as unknown as SettingValues
}

function readValue(setting: Setting<unknown>, { text, at }: Found, problems: string[]): unknown {
  try {
    return setting.parse(text)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    problems.push(setting.fileForm ? `${at}: ${error.message}` : `${at}: ${error.message}, not ${JSON.stringify(text)}`)
    return setting.fallback
  }
}

function readDrives(words: readonly string[], { problems }: Notices): readonly string[] {
  const remote = words.find(word => /^[a-z]+:\/\//i.test(word))
  if (remote !== undefined) problems.push(`${remote}: a drive is a directory of this machine; servers do not form clusters`)
  try {
    return words.flatMap(expandEllipses)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    problems.push(`drives: ${error.message}`)
    return words
  }
}

function readRoot({ rootUser, rootPassword }: SettingValues, { problems }: Notices): RootCredentials {
  if (rootUser === undefined && rootPassword === undefined) return { user: defaultUser, password: defaultPassword, areDefault: true }
  const user = rootUser ?? ''
  const password = rootPassword ?? ''
  if (rootUser === undefined) problems.push('MORAINE_ROOT_USER (or MINIO_ROOT_USER) is needed beside the root password')
  else if (user.length < 3 || !/^[\x21-\x7e]+$/.test(user) || /[/,=]/.test(user)) {
    problems.push('MORAINE_ROOT_USER (or MINIO_ROOT_USER): expected 3 or more printable ASCII characters, without spaces and / , =')
  }
  if (rootPassword === undefined) problems.push('MORAINE_ROOT_PASSWORD (or MINIO_ROOT_PASSWORD) is needed beside the root user')
  else if (password.length < 8) problems.push('MORAINE_ROOT_PASSWORD (or MINIO_ROOT_PASSWORD): expected 8 or more characters')
  return { user, password, areDefault: false }
}

/** The well-known credentials never leave the machine. */
function readAddress(address: ListenAddress | undefined, root: RootCredentials, { problems }: Notices): ListenAddress {
  if (address === undefined) return { host: root.areDefault ? '127.0.0.1' : undefined, port: 9000 }
  if (root.areDefault && !isLoopback(address)) {
    problems.push(
      `--address ${address.host ?? ''}:${address.port} can be reached from other machines, and no credentials are configured: ` +
        'set MORAINE_ROOT_USER and MORAINE_ROOT_PASSWORD, or listen on 127.0.0.1',
    )
  }
  return address
}
