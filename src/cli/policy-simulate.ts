import { compilePolicy } from '../policy/compile.ts'
import { explainDecision, explanationText, type Explanation } from '../policy/explain.ts'
import { conditionKey } from '../policy/pattern.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { anonymous, type Principal, type PrincipalKind } from '../policy/principal.ts'
import { requestContext } from '../policy/request-context.ts'
import type { NamedPolicy, PolicyKind } from '../policy/language.ts'

/** The command line cannot be understood, or a document not read; the message says which. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError'
}

export interface SimulateOptions {
  readonly readFile: (path: string) => string
  readonly nowMs: number
}

const listed = ['--policy', '--boundary', '--session', '--limit', '--resource-policy', '--context'] as const
const single = ['--principal', '--action', '--resource', '--resource-account'] as const

/**
 * `moraine policy simulate`: decides one request by policies in files, and says of each statement why it applies or not. Nothing
 * is asked of a server, so that a policy can be tried before it is attached.
 */
export function simulatePolicy(argv: readonly string[], { readFile, nowMs }: SimulateOptions): Explanation {
  const { lists, values } = parse(argv)
  const read = (option: (typeof listed)[number], kind: PolicyKind) => lists[option].map(path => namedPolicy(path, kind, readFile))
  const principal = principalOf(values['--principal'])
  const resourceAccountId = values['--resource-account'] ?? (principal.accountId || undefined)
  const facts = { principal, nowMs, sourceIp: undefined, isSecure: true, userAgent: undefined, referer: undefined, resourceAccountId }
  const given = contextOf(lists['--context'])
  const general = requestContext(facts, () => undefined)
  const policies = {
    identity: read('--policy', 'identity'),
    ...(lists['--boundary'].length === 0 ? {} : { boundary: read('--boundary', 'identity') }),
    ...(lists['--session'].length === 0 ? {} : { session: read('--session', 'identity') }),
    limits: read('--limit', 'identity').map(limit => [limit]),
    resource: read('--resource-policy', 'resource'),
  }
  const request = { principal, action: required(values, '--action'), resource: required(values, '--resource'), resourceAccountId, context: (key: string) => given.get(key) ?? general(key) }
  return explainDecision(request, policies)
}

/** 0 when it is allowed, 2 when it is denied. */
export function runPolicySimulate(argv: readonly string[], options: SimulateOptions, write: (text: string) => unknown): number {
  const json = argv.includes('--json')
  const explanation = simulatePolicy(argv.filter(word => word !== '--json'), options)
  write(json ? `${JSON.stringify(explanation)}\n` : explanationText(explanation))
  return explanation.decision === 'allow' ? 0 : 2
}

interface Parsed {
  readonly lists: Readonly<Record<(typeof listed)[number], string[]>>
  readonly values: Partial<Record<(typeof single)[number], string>>
}

function parse(argv: readonly string[]): Parsed {
  const lists = { '--policy': [], '--boundary': [], '--session': [], '--limit': [], '--resource-policy': [], '--context': [] } as { [K in (typeof listed)[number]]: string[] }
  const values: Partial<Record<(typeof single)[number], string>> = {}
  for (let index = 0; index < argv.length; index += 2) {
    const option = argv[index] ?? ''
    const value = argv[index + 1]
    const list = listed.find(name => name === option)
    const one = single.find(name => name === option)
    if (list === undefined && one === undefined) throw new SimulationError(`${option} is not an option of "moraine policy simulate"`)
    if (value === undefined) throw new SimulationError(`${option} takes a value`)
    if (list !== undefined) lists[list].push(value)
    if (one !== undefined) values[one] = value
  }
  return { lists, values }
}

function required(values: Parsed['values'], option: '--action' | '--resource'): string {
  const value = values[option]
  if (value === undefined) throw new SimulationError(`moraine policy simulate needs ${option}`)
  return value
}

function namedPolicy(path: string, kind: PolicyKind, readFile: SimulateOptions['readFile']): NamedPolicy {
  try {
    return { name: path, policy: compilePolicy(readFile(path), { kind }) }
  } catch (error) {
    if (error instanceof PolicyError) throw new SimulationError(`${path}: ${error.message}`)
    throw new SimulationError(`${path}: it cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Whom an ARN names; absent: a request without a signature. */
function principalOf(arn: string | undefined): Principal {
  if (arn === undefined) return anonymous
  const [, accountId = '', resource = ''] = /^arn:aws:(?:iam|sts)::(\d{12}):(.+)$/.exec(arn) ?? []
  const [type = '', ...rest] = resource.split('/')
  const name = rest.at(-1) ?? ''
  const kinds: Readonly<Record<string, PrincipalKind>> = { root: 'accountRoot', user: 'user', role: 'roleSession', 'assumed-role': 'roleSession', 'federated-user': 'federated' }
  const kind = kinds[type]
  if (kind === undefined || (type !== 'root' && name === '')) throw new SimulationError(`--principal takes the ARN of an account's root, a user, a role or a session, not ${arn}`)
  const role = type === 'assumed-role' ? { arn: `arn:aws:iam::${accountId}:role/${rest[0] ?? ''}`, sessionArn: arn } : { arn }
  return { ...anonymous, kind, accountId, canonicalUserId: '', userId: name || accountId, ...(kind === 'user' ? { userName: name } : {}), ...role }
}

/** `KEY=VALUE`, several of one key as several values. */
function contextOf(pairs: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const context = new Map<string, string[]>()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals < 1) throw new SimulationError(`--context takes KEY=VALUE, not ${pair}`)
    const key = conditionKey(pair.slice(0, equals))
    context.set(key, [...(context.get(key) ?? []), pair.slice(equals + 1)])
  }
  return context
}
