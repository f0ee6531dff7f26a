/** Where settings come from: each source is read into a layer of texts, the strongest first. */
import { parse as parseYaml } from 'yaml'
import { settings, sources, type Setting, type SettingKey } from './settings.ts'
import { ValueError } from './values.ts'
import { parseEnvFile, splitWords } from './words.ts'

/** A setting's text and where it stood, for messages. */
export interface Found {
  readonly text: string
  readonly at: string
}

export type Layer = Partial<Record<SettingKey, Found>>

export type Environment = Readonly<Record<string, string | undefined>>

/** Throws when the file cannot be read. */
export type ReadFile = (path: string) => string

export interface Notices {
  /** What stops the start. */
  readonly problems: string[]
  readonly warnings: string[]
}

const entries = Object.entries(settings) as readonly (readonly [SettingKey, Setting<unknown>])[]

export interface Flags {
  readonly layer: Layer
  readonly words: readonly string[]
  readonly config: string | undefined
}

/** `--name value`, `--name=value` and switches; everything else is a word, and all of it after `--`. */
export function readFlags(argv: readonly string[], at: string, { problems }: Notices): Flags {
  const layer: Layer = {}
  const words: string[] = []
  let config: string | undefined
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? ''
    if (argument === '--') {
      words.push(...argv.slice(index + 1))
      break
    }
    if (!argument.startsWith('-') || argument === '-') {
      words.push(argument)
      continue
    }
    const equals = argument.indexOf('=')
    // MinIO takes its flags with one hyphen or two.
    const name = `--${(equals === -1 ? argument : argument.slice(0, equals)).replace(/^--?/, '')}`
    const entry = entries.find(([, setting]) => setting.flag?.name === name)
    if (entry === undefined && name !== sources.config.flag) {
      problems.push(`${at}${name} is not an option of "moraine server"; "moraine --help" lists them`)
      continue
    }
    const isSwitch = entry !== undefined && entry[1].flag?.value === undefined
    const text = equals !== -1 ? argument.slice(equals + 1) : isSwitch ? 'on' : argv[++index]
    if (text === undefined) problems.push(`${at}${name} needs a value`)
    else if (entry === undefined) config = text
    else layer[entry[0]] = { text, at: `${at}${name}` }
  }
  return { layer, words, config }
}

/** The environment with what `MINIO_CONFIG_ENV_FILE` adds; the file wins, as in MinIO. */
export function readEnvironment(env: Environment, readFile: ReadFile, { problems }: Notices): Environment {
  const path = env[sources.envFile.name]
  if (path === undefined || path === '') return env
  try {
    return { ...env, ...parseEnvFile(readFile(path)) }
  } catch (error) {
    problems.push(`${sources.envFile.name}: ${path}: ${reasonOf(error)}`)
    return env
  }
}

/** Our names. A `MORAINE_` name that is none of them is a problem: a mistyped setting must not go unnoticed. */
export function readMoraineNames(env: Environment, readFile: ReadFile, { problems }: Notices): Layer {
  const known = new Set<string>([sources.config.name, ...entries.flatMap(([, { name, fileForm }]) => (fileForm ? [name, `${name}_FILE`] : [name]))])
  for (const name of Object.keys(env)) {
    if (name.startsWith('MORAINE_') && !known.has(name) && !isServiceLink(name)) problems.push(`${name} is not a setting; docs/configuration.md lists them`)
  }
  return readNames(env, readFile, problems, setting => [setting.name])
}

/** MinIO's names. One that means nothing here is a warning, so that an existing deployment's files keep working. */
export function readMinioNames(env: Environment, readFile: ReadFile, { problems, warnings }: Notices): Layer {
  const known = new Set<string>([
    sources.envFile.name,
    sources.options.name,
    ...entries.flatMap(([, { aliases, fileForm }]) => (fileForm ? aliases.flatMap(name => [name, `${name}_FILE`]) : aliases)),
  ])
  for (const name of Object.keys(env)) {
    if (name.startsWith('MINIO_') && !known.has(name)) warnings.push(`${name} means nothing to Moraine and is ignored`)
  }
  return readNames(env, readFile, problems, setting => setting.aliases)
}

export function readOptionsVariable(env: Environment, notices: Notices): Flags {
  const { name } = sources.options
  try {
    return readFlags(splitWords(env[name] ?? ''), `${name}: `, notices)
  } catch (error) {
    notices.problems.push(`${name}: ${reasonOf(error)}`)
    return { layer: {}, words: [], config: undefined }
  }
}

/** The settings file: a YAML (or JSON) map of names in lower case, without `MORAINE_`, to scalars or lists. */
export function readConfigFile(path: string | undefined, readFile: ReadFile, { problems }: Notices): Layer {
  if (path === undefined) return {}
  const layer: Layer = {}
  try {
    const document: unknown = parseYaml(readFile(path))
    if (document === null) return {}
    if (typeof document !== 'object' || Array.isArray(document)) throw new ValueError('expected a map of settings')
    for (const [name, value] of Object.entries(document)) {
      const entry = entries.find(([, setting]) => setting.name === `MORAINE_${name.toUpperCase()}`)
      const text = textOf(value, entry?.[0] === 'drives' ? ' ' : ',')
      if (entry === undefined) problems.push(`${path}: /${name} is not a setting; docs/configuration.md lists them`)
      else if (text === undefined) problems.push(`${path}: /${name}: expected one value or a list of them`)
      else layer[entry[0]] = { text, at: `${path}: /${name}` }
    }
  } catch (error) {
    problems.push(`${path}: ${reasonOf(error)}`)
  }
  return layer
}

function readNames(env: Environment, readFile: ReadFile, problems: string[], namesOf: (setting: Setting<unknown>) => readonly string[]): Layer {
  const layer: Layer = {}
  for (const [key, setting] of entries) {
    for (const name of namesOf(setting)) {
      const found = readName(env, name, setting.fileForm, readFile, problems)
      if (found === undefined) continue
      layer[key] = found
      break
    }
  }
  return layer
}

/** An empty variable counts as not set: compose files write `NAME=` for that. */
function readName(env: Environment, name: string, fileForm: boolean, readFile: ReadFile, problems: string[]): Found | undefined {
  const text = env[name]
  if (text !== undefined && text !== '') return { text, at: name }
  const path = fileForm ? env[`${name}_FILE`] : undefined
  if (path === undefined || path === '') return undefined
  try {
    return { text: readSecret(path, readFile).replace(/\r?\n$/, ''), at: `${name}_FILE` }
  } catch (error) {
    problems.push(`${name}_FILE: ${path}: ${reasonOf(error)}`)
    return undefined
  }
}

/** A bare name is also looked for where Docker mounts secrets, as MinIO's image does. */
function readSecret(path: string, readFile: ReadFile): string {
  try {
    return readFile(path)
  } catch (error) {
    if (path.includes('/')) throw error
    return readFile(`/run/secrets/${path}`)
  }
}

/** Kubernetes sets `MORAINE_PORT`, `MORAINE_SERVICE_HOST`, … in every pod beside a Service named `moraine`. */
function isServiceLink(name: string): boolean {
  return /^MORAINE_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/.test(name)
}

function textOf(value: unknown, separator: string): string | undefined {
  if (Array.isArray(value)) {
    const texts = value.map(item => textOf(item, separator))
    return texts.every(text => text !== undefined) ? texts.join(separator) : undefined
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'there is no such file'
  return error instanceof Error ? error.message : String(error)
}
