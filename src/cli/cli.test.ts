import { describe, expect, it } from 'vitest'
import { settings } from '../config/settings.ts'
import { banner } from './banner.ts'
import { parseCommand } from './command.ts'
import { fsckExitCodes, fsckText } from './fsck-text.ts'
import { helpText } from './help.ts'
import { parseConfig } from '../config/parse-config.ts'

describe('parseCommand', () => {
  it.each([
    [[], { kind: 'help' }],
    [['--help'], { kind: 'help' }],
    [['server', '--help'], { kind: 'help' }],
    [['version'], { kind: 'version' }],
    [['--version'], { kind: 'version' }],
    [['server', '--address', ':9000', '/data'], { kind: 'server', argv: ['--address', ':9000', '/data'] }],
    [['status'], { kind: 'status', endpoint: undefined, json: false }],
    [['heal', '--wait', '--endpoint', 'https://s3.example.org', '--json'], { kind: 'heal', endpoint: 'https://s3.example.org', json: true, wait: true }],
    [['decommission', '2', '--wait'], { kind: 'decommission', set: '2', endpoint: undefined, json: false, wait: true, cancel: false }],
    [['decommission', '--endpoint', 'http://a', '/mnt/b1', '--json'], { kind: 'decommission', set: '/mnt/b1', endpoint: 'http://a', json: true, wait: false, cancel: false }],
    [['rebalance', '--cancel'], { kind: 'rebalance', endpoint: undefined, json: false, wait: false, cancel: true }],
    [['fsck', '--repair', '/a'], { kind: 'fsck', drives: ['/a'], json: false, quick: false, repair: true }],
    [['fsck', '/a', '/d{1...2}'], { kind: 'fsck', drives: ['/a', '/d1', '/d2'], json: false, quick: false, repair: false }],
    [['fsck', '/data'], { kind: 'fsck', drives: ['/data'], json: false, quick: false, repair: false }],
    [['fsck', '--json', '/data', '--quick'], { kind: 'fsck', drives: ['/data'], json: true, quick: true, repair: false }],
  ])('%j', (argv, command) => {
    expect(parseCommand(argv)).toEqual(command)
  })

  it.each([
    [['serve'], 'there is no command "serve"'],
    [['fsck'], 'the DRIVEs'],
    [['status', '--wait'], '--wait is not an option'],
    [['heal', '--endpoint', 'nowhere'], 'takes a URL'],
    [['fsck', '--force', '/a'], '--force'],
    [['decommission', '--wait'], 'takes the number of a set'],
    [['decommission', '2', '--force'], '--force is not an option of "moraine decommission"'],
    [['rebalance', '--wait', '--cancel'], 'do not go together'],
  ])('%j is refused', (argv, message) => {
    expect(parseCommand(argv)).toMatchObject({ kind: 'unknown', message: expect.stringContaining(message) as string })
  })
})

it('the help names every option', () => {
  const names = Object.values(settings).flatMap(({ flag }) => (flag === undefined ? [] : [flag.name]))
  expect(names.filter(name => !helpText().includes(name))).toEqual([])
})

describe('banner', () => {
  const bannerOf = (env: Readonly<Record<string, string>>) => {
    const parsed = parseConfig({ argv: ['/data'], env, readFile: () => '' })
    if (!parsed.ok) throw new Error(parsed.problems.join())
    return banner({ config: parsed.config, version: '1.2.3', port: 9000, workers: 2, warehouse: 'lake', isTls: false, colours: false })
  }

  it('shows endpoints and the well-known key', () => {
    const text = bannerOf({})
    for (const word of ['http://127.0.0.1:9000', 'http://127.0.0.1:9000/iceberg', 'moraineadmin:moraineadmin', 'Spark', 'Trino', 'DuckDB', 'PyIceberg']) expect(text).toContain(word)
    expect(text).not.toContain('\u001B')
  })

  it('never shows a configured secret, and uses the configured URL', () => {
    const text = bannerOf({ MORAINE_ROOT_USER: 'admin', MORAINE_ROOT_PASSWORD: 'top-secret-1', MORAINE_SERVER_URL: 'https://s3.example.org', MORAINE_REGION: 'eu-central-1' })
    expect(text).not.toContain('top-secret-1')
    for (const word of ['admin:YOUR_ROOT_PASSWORD', 'https://s3.example.org/iceberg', 'eu-central-1', 'USE_SSL true']) expect(text).toContain(word)
  })
})

describe('fsck report', () => {
  const checked = { buckets: 1, keys: 20_000, versions: 20_000, uploads: 0, parts: 0, blobs: 3, bytes: 1_000_000, events: 5, tables: 0, snapshots: 0, tableFiles: 0 }

  it('says what is lost, and exits accordingly', () => {
    const text = fsckText(['/data'], {
      verdict: 'lost',
      findings: [{ severity: 'lost', code: 'BytesMissing', subject: 'lake/k?null', explanation: 'blob 01 is gone' }],
      found: { lost: 3, wrong: 0, garbage: 0 },
      checked,
      awaitingCollection: 2,
    })
    expect(text).toBe(`Lost: acknowledged bytes or rows are gone or fail their checksum:
  BytesMissing lake/k?null: blob 01 is gone
  and 2 more

Checked /data: 1 buckets, 20,000 keys, 20,000 versions, 0 uploads, 0 parts, 3 blobs, 1,000,000 bytes, 5 events, 0 tables, 0 snapshots, 0 files of tables; 2 awaiting collection
LOST: something that was acknowledged is gone
`)
    expect(new Set(Object.values(fsckExitCodes))).toEqual(new Set([0, 2, 3]))
  })
})
