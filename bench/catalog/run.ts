/**
 * Iceberg REST catalogs side by side, over HTTP: commits to one table and to many, loads of tables with long histories,
 * listings, transactions. Targets in turn; ratios are to the first.
 *
 *     node bench/catalog/run.ts [--target NAME=URL,KEY,SECRET[,PID]] … [--moraine] [--cases commits,transactions,history,listing]
 *         [--seconds 4] [--snapshots 100,10000,200000] [--tables 100000] [--match TEXT]
 *
 * `URL` is what comes before `/v1`; `TEXT` is in the names of the rows to run. With a `PID`, what the process and its children write is counted.
 */
import { parseArgs } from 'node:util'
import { startServer } from '../../integration/start-server.ts'
import { CatalogClient, type CatalogTarget } from './client.ts'
import { closedLoop, type Measured } from './closed-loop.ts'
import { cpuSeconds, residentBytes, writtenBytes } from '../load/processes.ts'
import { commitBody, fillTable, makeManyTables, makeTable, tablePath, tablesPath, transactionBody } from './tables.ts'

interface Options {
  readonly durationMs: number
  readonly snapshots: readonly number[]
  readonly tables: number
}

type Row = readonly [what: string, run: (client: CatalogClient) => Promise<string>]

const manyTables = 64
const transactionTables = 10
const prepareLimitMs = 150_000

function described({ operations, conflicts, errors, firstError, seconds, latency, bytes, cpuMs }: Measured): string {
  const rate = operations / seconds
  const times = `p50 ${latency.percentileMs(50).toFixed(2)} ms  p99 ${latency.percentileMs(99).toFixed(2)} ms`
  const size = operations === 0 ? 0 : bytes / operations
  const wrong = `${conflicts > 0 ? `  ${conflicts} conflicts` : ''}${errors > 0 ? `  ${errors} errors, such as ${firstError}` : ''}`
  return `${rate.toFixed(rate < 100 ? 1 : 0)}/s  ${times}  CPU ${cpuMs.toFixed(2)} ms  ${(size / 1024).toFixed(1)} KiB${wrong}`
}

function commitRows({ durationMs }: Options): Row[] {
  return [1, manyTables].flatMap(tables => [1, 8, 64].map((clients): Row => [
    `commits, ${tables} table${tables > 1 ? 's' : ''}, ${clients} clients`,
    async client => {
      const names = Array.from({ length: tables }, (_, index) => `c${tables}-${clients}-${index}`)
      for (const name of names) await makeTable(client, name)
      let next = 0
      return described(await closedLoop(client, { clients, warmUpMs: 1000, durationMs }, connection => {
        const name = names[next++ % names.length] ?? ''
        return connection.request('POST', tablePath(name), commitBody(name))
      }))
    },
  ]))
}

function transactionRows({ durationMs }: Options): Row[] {
  return [1, 8].map((clients): Row => [
    `transactions of ${transactionTables} tables, ${clients} clients`,
    async client => {
      const names = (index: number): string[] => Array.from({ length: transactionTables }, (_, table) => `x${clients}-${index}-${table}`)
      for (let index = 0; index < clients; index++) for (const name of names(index)) await makeTable(client, name)
      return described(await closedLoop(client, { clients, warmUpMs: 500, durationMs }, (connection, index) =>
        connection.request('POST', '/transactions/commit', transactionBody(names(index)))))
    },
  ])
}

function historyRows({ durationMs, snapshots }: Options): Row[] {
  return snapshots.flatMap((count): Row[] => {
    const table = `h${count}`
    return [
      [`a table of ${count} snapshots made`, async client => {
        const startedAt = performance.now()
        await fillTable(client, table, count)
        return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
      }],
      ...(['refs', 'all'] as const).map((mode): Row => [
        `loadTable ${mode}, ${count} snapshots`,
        async client => described(await closedLoop(client, { clients: 1, warmUpMs: 500, durationMs }, connection =>
          connection.request('GET', `${tablePath(table)}?snapshots=${mode}`))),
      ]),
      [`commit to ${count} snapshots, until it is durable`, client => measureCommits(client, table)],
    ]
  })
}

const measuredCommits = 60

/** Time to the first byte of the answer, and what the server's processes wrote for it. */
async function measureCommits(client: CatalogClient, table: string): Promise<string> {
  const times: number[] = []
  for (let n = 0; n < 10; n++) await client.firstByteMs('POST', tablePath(table), commitBody(table))
  const { pid } = client.target
  const before = [writtenBytes(pid), cpuSeconds(pid)] as const
  for (let n = 0; n < measuredCommits; n++) times.push(await client.firstByteMs('POST', tablePath(table), commitBody(table)))
  const written = (writtenBytes(pid) - before[0]) / measuredCommits
  const cpuMs = (cpuSeconds(pid) - before[1]) / measuredCommits * 1000
  times.sort((left, right) => left - right)
  const [p50 = 0, p99 = 0] = [0.5, 0.99].map(share => times[Math.floor(times.length * share)])
  const memory = `${(residentBytes(pid) / 1024 ** 2).toFixed(0)} MiB resident`
  return `p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms  CPU with the answer ${cpuMs.toFixed(2)} ms  ${(written / 1024).toFixed(0)} KiB written  ${memory}`
}

function listingRows({ durationMs, tables }: Options): Row[] {
  return [
    [`${tables} tables made`, async client => {
      const startedAt = performance.now()
      const made = await makeManyTables(client, tables, prepareLimitMs)
      return `${made} in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`
    }],
    ['all of them listed, pages of 1,000', async client => {
      const startedAt = performance.now()
      let [listed, pages, token] = [0, 0, '']
      do {
        const page = await client.json('GET', `${tablesPath}?pageSize=1000&pageToken=${encodeURIComponent(token)}`)
        listed += (page['identifiers'] as unknown[]).length
        pages++
        token = (page['next-page-token'] as string | null | undefined) ?? ''
      } while (token !== '')
      return `${listed} in ${pages} pages, ${(performance.now() - startedAt).toFixed(0)} ms`
    }],
    ['the first page of 1,000', async client => described(await closedLoop(client, { clients: 1, warmUpMs: 500, durationMs }, connection =>
      connection.request('GET', `${tablesPath}?pageSize=1000&pageToken=`)))],
  ]
}

const cases = { commits: commitRows, transactions: transactionRows, history: historyRows, listing: listingRows } as const

function parseTarget(text: string): CatalogTarget {
  const [, name = '', url = '', accessKeyId = '', secretAccessKey = '', pid] = /^([^=]+)=(https?:\/\/[^,]+),([^,]+),([^,]+)(?:,(\d+))?$/.exec(text) ?? []
  if (name === '') throw new Error(`--target ${text} is not NAME=URL,KEY,SECRET[,PID]`)
  return { name, url, accessKeyId, secretAccessKey, pid: pid === undefined ? undefined : Number(pid) }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true, default: [] },
      moraine: { type: 'boolean', default: false },
      cases: { type: 'string', default: Object.keys(cases).join() },
      seconds: { type: 'string', default: '4' },
      snapshots: { type: 'string', default: '100,10000,200000' },
      tables: { type: 'string', default: '100000' },
      match: { type: 'string', default: '' },
    },
  })
  const targets = values.target.map(parseTarget)
  const server = values.moraine || targets.length === 0 ? await startServer({ workers: 2, args: ['--quiet'] }) : undefined
  try {
    if (server !== undefined) targets.push({ ...server, name: 'moraine', url: `${server.endpoint}/iceberg` })
    const clients = await Promise.all(targets.map(target => CatalogClient.open(target)))
    const options = { durationMs: Number(values.seconds) * 1000, snapshots: values.snapshots.split(',').map(Number), tables: Number(values.tables) }
    const rows = Object.entries(cases).flatMap(([name, rowsOf]) => (values.cases.split(',').includes(name) ? rowsOf(options) : []))
    for (const row of rows) if (row[0].includes(values.match)) await printRow(row, clients)
  } finally {
    await server?.stop()
  }
}

/** The ratio is that of the rates, where the row has them. */
async function printRow([what, run]: Row, clients: readonly CatalogClient[]): Promise<void> {
  let first: number | undefined
  for (const client of clients) {
    const result = await run(client).catch((error: unknown) => `failed: ${String(error).slice(0, 200)}`)
    const rate = Number(/^([\d.]+)\/s/.exec(result)?.[1])
    const ratio = first === undefined || Number.isNaN(rate) ? '' : `  x${(rate / first).toFixed(2)}`
    if (!Number.isNaN(rate)) first ??= rate
    console.log(`${what.padEnd(48)} ${client.target.name.padEnd(10)} ${result}${ratio}`)
  }
}

await main()
