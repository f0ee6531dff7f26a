/** The command line: which command, and what is left for it. */
import { expandEllipses } from '../config/words.ts'

export type Command =
  /** `argv` is parsed with the environment (src/config). */
  | { readonly kind: 'server'; readonly argv: readonly string[] }
  /** `quick` verifies the records only, not every byte that is stored; `repair` heals shards first. */
  | { readonly kind: 'fsck'; readonly drives: readonly string[]; readonly json: boolean; readonly quick: boolean; readonly repair: boolean }
  /** `endpoint` absent: where this environment's server listens. */
  | { readonly kind: 'status'; readonly endpoint: string | undefined; readonly json: boolean }
  | { readonly kind: 'heal'; readonly endpoint: string | undefined; readonly json: boolean; readonly wait: boolean }
  /** `set`: its number, or the path of one of its drives. */
  | { readonly kind: 'decommission'; readonly set: string; readonly endpoint: string | undefined; readonly json: boolean; readonly wait: boolean; readonly cancel: boolean }
  | { readonly kind: 'rebalance'; readonly endpoint: string | undefined; readonly json: boolean; readonly wait: boolean; readonly cancel: boolean }
  /** Of `policy simulate`: its options. */
  | { readonly kind: 'policySimulate'; readonly argv: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'unknown'; readonly message: string }

export function parseCommand(argv: readonly string[]): Command {
  const [name, ...rest] = argv
  if (name === undefined || ['help', '--help', '-h'].includes(name)) return { kind: 'help' }
  if (['version', '--version', '-v'].includes(name)) return { kind: 'version' }
  if (rest.includes('--help') || rest.includes('-h')) return { kind: 'help' }
  switch (name) {
    case 'server':
      return { kind: 'server', argv: rest }
    case 'fsck':
      return parseFsck(rest)
    case 'policy':
      return rest[0] === 'simulate' ? { kind: 'policySimulate', argv: rest.slice(1) } : { kind: 'unknown', message: '"moraine policy" has one command: simulate' }
    case 'status':
    case 'heal':
    case 'rebalance':
      return parseAdmin(name, rest)
    case 'decommission':
      return parseDecommission(rest)
    default:
      return { kind: 'unknown', message: `there is no command "${name}"; "moraine --help" lists them` }
  }
}

function parseFsck(rest: readonly string[]): Command {
  const words = rest.filter(word => !word.startsWith('-'))
  const wrong = rest.find(word => word.startsWith('-') && !['--json', '--quick', '--repair'].includes(word))
  if (wrong !== undefined) return { kind: 'unknown', message: `${wrong} is not an option of "moraine fsck"` }
  if (words.length === 0) return { kind: 'unknown', message: 'moraine fsck takes the DRIVEs of a deployment' }
  return { kind: 'fsck', drives: words.flatMap(expandEllipses), json: rest.includes('--json'), quick: rest.includes('--quick'), repair: rest.includes('--repair') }
}

type AdminCommand = Extract<Command, { kind: 'status' | 'heal' | 'rebalance' }>

const adminSwitches = { status: ['--json'], heal: ['--json', '--wait'], rebalance: ['--json', '--wait', '--cancel'] } as const satisfies Record<AdminCommand['kind'], readonly string[]>

function parseAdmin(kind: AdminCommand['kind'], rest: readonly string[]): AdminCommand | Extract<Command, { kind: 'unknown' }> {
  let endpoint: string | undefined
  const switches = new Set<string>()
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? ''
    if (word === '--endpoint') endpoint = rest[++index] ?? ''
    else if ((adminSwitches[kind] as readonly string[]).includes(word)) switches.add(word)
    else return { kind: 'unknown', message: `${word} is not an option of "moraine ${kind}"` }
  }
  if (endpoint !== undefined && !/^https?:\/\/[^/]+\/?$/.test(endpoint)) return { kind: 'unknown', message: '--endpoint takes a URL such as http://127.0.0.1:9000' }
  const [json, wait, cancel] = [switches.has('--json'), switches.has('--wait'), switches.has('--cancel')]
  if (wait && cancel) return { kind: 'unknown', message: '--wait and --cancel do not go together' }
  if (kind === 'status') return { kind, endpoint, json }
  return kind === 'heal' ? { kind, endpoint, json, wait } : { kind, endpoint, json, wait, cancel }
}

/** The options of `rebalance`, and one word: the set. */
function parseDecommission(rest: readonly string[]): Command {
  const at = rest.findIndex((word, index) => !word.startsWith('-') && rest[index - 1] !== '--endpoint')
  const set = rest[at]
  if (set === undefined) return { kind: 'unknown', message: 'moraine decommission takes the number of a set, as "moraine status" shows it, or one of its drives' }
  const options = parseAdmin('rebalance', rest.toSpliced(at, 1))
  if (options.kind === 'unknown') return { kind: 'unknown', message: options.message.replace('"moraine rebalance"', '"moraine decommission"') }
  return options.kind === 'rebalance' ? { ...options, kind: 'decommission', set } : options
}
