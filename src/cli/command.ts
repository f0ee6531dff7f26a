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
      return parseAdmin(name, rest)
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

function parseAdmin(kind: 'status' | 'heal', rest: readonly string[]): Command {
  let endpoint: string | undefined
  const switches = new Set<string>()
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? ''
    if (word === '--endpoint') endpoint = rest[++index] ?? ''
    else if (word === '--json' || (kind === 'heal' && word === '--wait')) switches.add(word)
    else return { kind: 'unknown', message: `${word} is not an option of "moraine ${kind}"` }
  }
  if (endpoint !== undefined && !/^https?:\/\/[^/]+\/?$/.test(endpoint)) return { kind: 'unknown', message: '--endpoint takes a URL such as http://127.0.0.1:9000' }
  const json = switches.has('--json')
  return kind === 'status' ? { kind, endpoint, json } : { kind, endpoint, json, wait: switches.has('--wait') }
}
