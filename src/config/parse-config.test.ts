import { describe, expect, it } from 'vitest'
import type { Environment } from './layers.ts'
import { parseConfig, type Config } from './parse-config.ts'

const credentials = { MORAINE_ROOT_USER: 'admin', MORAINE_ROOT_PASSWORD: 'long-enough' }

interface Given {
  readonly argv?: readonly string[]
  readonly env?: Environment
  readonly files?: Readonly<Record<string, string>>
}

function parse({ argv = [], env = {}, files = {} }: Given) {
  const readFile = (path: string): string => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' })
    return text
  }
  return parseConfig({ argv, env, readFile })
}

function configOf(given: Given): Config {
  const parsed = parse(given)
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.config
}

function problemsOf(given: Given): string {
  const parsed = parse(given)
  if (parsed.ok) throw new Error('it was accepted')
  return parsed.problems.join('\n')
}

function warningsOf(given: Given): string {
  const parsed = parse(given)
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.warnings.join('\n')
}

describe('credentials and address', () => {
  it('uses the well-known ones on loopback only', () => {
    const { root, address, drives } = configOf({})
    expect(root).toEqual({ user: 'moraineadmin', password: 'moraineadmin', areDefault: true })
    expect(address).toEqual({ host: '127.0.0.1', port: 9000 })
    expect(drives).toEqual(['./data'])
  })

  it.each(['127.0.0.1:9000', 'localhost:80', '[::1]:9000', '127.1.2.3:0'])('%s is loopback', address => {
    expect(configOf({ argv: ['--address', address] }).root.areDefault).toBe(true)
  })

  it.each([':9000', '0.0.0.0:9000', '[::]:9000', '10.0.0.1:9000', 'example.org:9000', '*:9000', '127.evil.example:9000'])(
    'refuses %s without credentials and says what to set',
    address => {
      expect(problemsOf({ argv: ['--address', address] })).toMatch(/MORAINE_ROOT_USER and MORAINE_ROOT_PASSWORD/)
      expect(configOf({ argv: ['--address', address], env: credentials }).root.user).toBe('admin')
    },
  )

  it('listens on every interface, port 9000, with credentials and no address', () => {
    expect(configOf({ env: credentials }).address).toEqual({ host: undefined, port: 9000 })
  })

  it.each([
    [{ MORAINE_ROOT_USER: 'admin' }, 'MORAINE_ROOT_PASSWORD'],
    [{ MINIO_ROOT_PASSWORD: 'long-enough' }, 'MORAINE_ROOT_USER'],
    [{ ...credentials, MORAINE_ROOT_USER: 'ad' }, '3 or more'],
    [{ ...credentials, MORAINE_ROOT_USER: 'with space' }, 'without spaces'],
    [{ ...credentials, MORAINE_ROOT_PASSWORD: 'seven77' }, '8 or more'],
  ])('refuses %j', (env, message) => {
    expect(problemsOf({ env })).toContain(message)
    expect(problemsOf({ env })).not.toContain('seven77')
  })

  it('reads them from files, without the last line end', () => {
    const env = { MINIO_ROOT_USER_FILE: '/run/user', MINIO_ROOT_PASSWORD_FILE: 'password' }
    const files = { '/run/user': 'filed\n', '/run/secrets/password': 'from a secret\r\n' }
    expect(configOf({ env, files }).root).toEqual({ user: 'filed', password: 'from a secret', areDefault: false })
    expect(problemsOf({ env })).toContain('MINIO_ROOT_USER_FILE: /run/user: there is no such file')
  })
})

describe('where a setting comes from', () => {
  it('takes the strongest source', () => {
    const given = {
      env: {
        MINIO_CONFIG_ENV_FILE: '/etc/minio.env', MINIO_SITE_REGION: 'weakest', MINIO_OPTS: '--workers 2 --address 127.0.0.1:1', MORAINE_CONFIG: '/etc/moraine.yaml',
      },
      files: { '/etc/minio.env': 'MINIO_REGION=ignored\nMINIO_SITE_REGION=from-file', '/etc/moraine.yaml': 'workers: 3\naddress: 127.0.0.1:2' },
    }
    expect(configOf(given)).toMatchObject({ region: 'from-file', workers: 3, address: { port: 2 } })
    const ours = { ...given, env: { ...given.env, MORAINE_REGION: 'ours', MORAINE_WORKERS: '4' } }
    expect(configOf(ours)).toMatchObject({ region: 'ours', workers: 4 })
    expect(configOf({ ...ours, argv: ['--workers=5', '--config', '/dev/null'], files: { ...given.files, '/dev/null': '' } })).toMatchObject({ workers: 5, address: { port: 1 } })
  })

  it('takes drives from arguments, then names', () => {
    expect(configOf({ env: { MINIO_VOLUMES: '/m' } }).drives).toEqual(['/m'])
    expect(configOf({ env: { MINIO_VOLUMES: '/m', MORAINE_DRIVES: '"/our drive"' } }).drives).toEqual(['/our drive'])
    expect(configOf({ argv: ['/mnt/drive{1...3}', '/b'] }).drives).toEqual(['/mnt/drive1', '/mnt/drive2', '/mnt/drive3', '/b'])
    expect(configOf({ env: { MINIO_STORAGE_CLASS_STANDARD: 'EC:3', MORAINE_REDUCED_PARITY: '1' } })).toMatchObject({ parity: 3, reducedParity: 1 })
    expect(configOf({}).parity).toBeUndefined()
    expect(configOf({ argv: ['/argument'], env: { MORAINE_DRIVES: '/ours' } }).drives).toEqual(['/argument'])
  })

  it('counts an empty variable as not set', () => {
    expect(configOf({ env: { MORAINE_REGION: '', MINIO_REGION: 'eu-west-1', MINIO_ROOT_USER: '', MINIO_ROOT_PASSWORD: '' } })).toMatchObject({
      region: 'eu-west-1',
      root: { areDefault: true },
    })
  })

  it('takes MinIO’s stock command line', () => {
    const env = { MINIO_ROOT_USER: 'minioadmin', MINIO_ROOT_PASSWORD: 'minioadmin', MINIO_BROWSER: 'off' }
    const given = { argv: ['/data', '--console-address', ':9001'], env }
    expect(configOf(given)).toMatchObject({ drives: ['/data'], address: { host: undefined, port: 9000 }, root: { user: 'minioadmin' } })
    expect(warningsOf(given)).toMatch(/MINIO_BROWSER[^]*console/)
  })

  it('reads lists and switches of the settings file', () => {
    const files = { 'c.yaml': 'domain: [S3.example.org, b.example.org]\nquiet: true\ndrain_timeout: 5m\ndrives: [/one]\n' }
    expect(configOf({ argv: ['--config', 'c.yaml'], files })).toMatchObject({
      domains: ['s3.example.org', 'b.example.org'], quiet: true, drainTimeoutMs: 300_000, drives: ['/one'],
    })
  })
})

describe('what stops the start', () => {
  it.each<[Given, string]>([
    [{ env: { MORAINE_REGOIN: 'eu' } }, 'MORAINE_REGOIN is not a setting'],
    [{ env: { MORAINE_WORKERS: 'many' } }, 'MORAINE_WORKERS: expected a whole number from 1 to 256, not "many"'],
    [{ argv: ['--workers', '0'] }, '--workers: expected a whole number'],
    [{ argv: ['--adress', ':9000'] }, '--adress is not an option'],
    [{ argv: ['--address'] }, '--address needs a value'],
    [{ argv: ['--address', 'nine'] }, '--address: expected HOST:PORT'],
    [{ argv: ['--address', '127.0.0.1:70000'] }, '--address: expected HOST:PORT'],
    [{ env: { MINIO_SERVER_URL: 'https://host/path' } }, 'MINIO_SERVER_URL: expected scheme, host and port only'],
    [{ env: { MINIO_OPTS: '--ftp "x' } }, 'MINIO_OPTS: a " is not closed'],
    [{ env: { MINIO_OPTS: '--ftp' } }, 'MINIO_OPTS: --ftp is not an option'],
    [{ env: { MORAINE_BUCKETS: 'ok-name,Not_OK' } }, 'MORAINE_BUCKETS: "Not_OK" is not a bucket name'],
    [{ env: { MORAINE_DRAIN_TIMEOUT: '30' } }, 'MORAINE_DRAIN_TIMEOUT: expected a duration'],
    [{ env: { MORAINE_QUIET: 'maybe' } }, 'MORAINE_QUIET: expected on or off'],
    [{ env: { MORAINE_PARITY: 'EC:9' } }, 'expected a number from 0 to 8'],
    [{ env: { MINIO_STORAGE_CLASS_RRS: 'REED:1' } }, 'expected a number from 0 to 8'],
    [{ argv: ['http://host{1...4}/data'] }, 'servers do not form clusters'],
    [{ argv: ['--config', 'missing.yaml'] }, 'missing.yaml: there is no such file'],
    [{ argv: ['--config', 'c'], files: { c: 'regoin: eu' } }, 'c: /regoin is not a setting'],
    [{ argv: ['--config', 'c'], files: { c: 'workers: {a: 1}' } }, 'c: /workers: expected one value'],
    [{ argv: ['--config', 'c'], files: { c: '[1, 2]' } }, 'c: expected a map'],
    [{ argv: ['--config', 'c'], files: { c: 'workers: none' } }, 'c: /workers: expected a whole number from 1 to 256, not "none"'],
    [{ env: { MINIO_CONFIG_ENV_FILE: 'e' } }, 'MINIO_CONFIG_ENV_FILE: e: there is no such file'],
    [{ env: { MINIO_CONFIG_ENV_FILE: 'e' }, files: { e: 'MORAINE_NONE=1' } }, 'MORAINE_NONE is not a setting'],
  ])('%j', (given, message) => {
    expect(problemsOf(given)).toContain(message)
  })

  it('names every problem at once', () => {
    expect(problemsOf({ argv: ['--nope', '--workers', 'x'], env: { MORAINE_WHAT: '1' } }).split('\n')).toHaveLength(3)
  })

  it('lets Kubernetes service links be', () => {
    const env = {
      MORAINE_SERVICE_HOST: '10.0.0.1', MORAINE_SERVICE_PORT: '9000', MORAINE_SERVICE_PORT_S3: '9000', MORAINE_PORT: 'tcp://10.0.0.1:9000',
      MORAINE_PORT_9000_TCP: 'tcp://10.0.0.1:9000', MORAINE_PORT_9000_TCP_ADDR: '10.0.0.1',
    }
    expect(configOf({ env }).drives).toEqual(['./data'])
  })
})
