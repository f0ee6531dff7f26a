import { compileArn } from './arn.ts'
import { compileCondition } from './conditions.ts'
import { parseJson, type JsonNode, type Member } from './parse-json.ts'
import { compilePattern } from './pattern.ts'
import { PolicyError, positionOf, type PolicyErrorCode } from './policy-error.ts'
import { principalsOf } from './principals.ts'
import type { Condition } from './conditions.ts'
import type { Actions, Policy, PolicyKind, PolicyVersion, Resources, Statement } from './language.ts'

export interface CompileOptions {
  readonly kind: PolicyKind
  /** Larger documents are refused. Default: 20 KiB, S3's limit of a bucket policy. */
  readonly maxBytes?: number
}

const defaultMaxBytes = 20_480
const maxStatements = 1000

/** Throws `PolicyError` with the position of the first thing that is wrong. */
export function compilePolicy(text: string, { kind, maxBytes = defaultMaxBytes }: CompileOptions): Policy {
  if (Buffer.byteLength(text) > maxBytes) throw new PolicyError('TooLarge', `The policy has more than ${maxBytes} bytes`, { line: 1, column: 1 })
  return new Compiler(text, kind).policy()
}

const documentElements = ['Version', 'Id', 'Statement']
const statementElements = ['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition']

/** A value and where it stands. */
export interface Placed {
  readonly at: number
  readonly text: string
}

type ObjectNode = Extract<JsonNode, { kind: 'object' }>

class Compiler {
  readonly #text: string
  readonly #kind: PolicyKind
  #version: PolicyVersion = '2008-10-17'

  constructor(text: string, kind: PolicyKind) {
    this.#text = text
    this.#kind = kind
  }

  policy(): Policy {
    const document = this.#object(parseJson(this.#text), 'The policy')
    this.#onlyElements(document, documentElements)
    this.#version = this.#versionOf(document.members.get('Version'))
    const id = document.members.get('Id')
    const statement = document.members.get('Statement') ?? this.#fail('Grammar', 'Missing required field Statement', document.at)
    const nodes = statement.value.kind === 'array' ? statement.value.items : [statement.value]
    if (nodes.length === 0) this.#fail('Grammar', 'The policy has no statement', statement.value.at)
    if (nodes.length > maxStatements) this.#fail('TooLarge', `The policy has more than ${maxStatements} statements`, statement.at)
    const statements = nodes.map((node, index) => this.#statement(node, index))
    this.#distinctSids(nodes)
    return { version: this.#version, id: id === undefined ? undefined : this.#string(id.value, 'Id').text, statements }
  }

  #statement(node: JsonNode, index: number): Statement {
    const { members, at } = this.#object(node, 'A statement')
    this.#onlyElements({ kind: 'object', at, members }, statementElements)
    const sid = members.get('Sid')
    const effect = this.#string((members.get('Effect') ?? this.#fail('Grammar', 'Missing required field Effect', at)).value, 'Effect')
    if (effect.text !== 'Allow' && effect.text !== 'Deny') this.#fail('Grammar', `Invalid effect: ${effect.text}`, effect.at)
    const condition = members.get('Condition')
    return {
      index,
      sid: sid === undefined ? undefined : this.#sid(sid.value),
      effect: effect.text as 'Allow' | 'Deny',
      principals: this.#principals(members, at),
      actions: this.#actions(this.#oneOf(members, 'Action', at) ?? this.#fail('Grammar', 'Missing required field Action', at)),
      resources: this.#resources(members, at),
      conditions: condition === undefined ? [] : this.#conditions(condition.value),
    }
  }

  #actions({ negated, member, name }: Either): Actions {
    const patterns = this.#strings(member.value, name).map(({ text, at }) => {
      if (text !== '*' && !/^(?:[A-Za-z0-9-]+|\*):[A-Za-z0-9*?]+$/.test(text)) this.#fail('Action', `Policy has invalid action: ${text}`, at)
      return this.#required(compilePattern(text.toLowerCase(), { wildcards: true, variables: false }), 'Action', 'Policy has invalid action', at)
    })
    return { negated, patterns }
  }

  #resources(members: ReadonlyMap<string, Member>, at: number): Resources | undefined {
    const either = this.#oneOf(members, 'Resource', at)
    if (this.#kind === 'trust') {
      if (either !== undefined) this.#fail('Resource', 'A trust policy has no resource: it is about its role', either.member.at)
      return undefined
    }
    if (either === undefined) return this.#fail('Resource', 'Missing required field Resource', at)
    const rules = { wildcards: true, variables: this.#hasVariables }
    const values = this.#strings(either.member.value, either.name)
    const patterns = values.map(({ text, at: valueAt }) =>
      this.#required(compileArn(text, rules), 'Resource', `Policy has invalid resource: ${text}`, valueAt),
    )
    return { negated: either.negated, texts: values.map(({ text }) => text), patterns }
  }

  #principals(members: ReadonlyMap<string, Member>, at: number): Statement['principals'] {
    const either = this.#oneOf(members, 'Principal', at)
    if (this.#kind === 'identity') {
      if (either !== undefined) this.#fail('Principal', `An identity policy has no ${either.name}: it is about whom it is attached to`, either.member.at)
      return undefined
    }
    if (either === undefined) return this.#fail('Principal', 'Missing required field Principal', at)
    const { member, negated, name } = either
    const fail = (placed: Placed): never => this.#fail('Principal', `Invalid principal in policy: ${placed.text}`, placed.at)
    if (member.value.kind !== 'object') return principalsOf(negated, [{ type: '*', values: [this.#string(member.value, name)] }], fail)
    const entries = [...member.value.members].map(([type, { value, at: typeAt }]) => ({ type, at: typeAt, values: this.#strings(value, type) }))
    if (entries.length === 0) this.#fail('Principal', 'Invalid principal in policy: it names nobody', member.value.at)
    return principalsOf(negated, entries, fail)
  }

  #conditions(node: JsonNode): readonly Condition[] {
    const conditions: Condition[] = []
    for (const [operator, { value: lines, at }] of this.#object(node, 'Condition').members) {
      for (const [key, { value, at: keyAt }] of this.#object(lines, operator).members) {
        if (!/^[A-Za-z0-9.-]+(:\d{1,5})?(\/[^\s:]*)?:[^\s]+$/.test(key)) this.#fail('Condition', `Policy has an invalid condition key: ${key}`, keyAt)
        const values = this.#scalars(value, key)
        const condition = compileCondition(operator, key, values.map(({ text }) => text), this.#hasVariables)
        if (condition === undefined) return this.#fail('Condition', `Invalid Condition type: ${operator}`, at)
        if ('invalidValue' in condition) {
          const { text, at: valueAt } = values[condition.invalidValue] ?? { text: '', at: keyAt }
          return this.#fail('Condition', `Invalid value for ${operator}: ${text}`, valueAt)
        }
        conditions.push(condition)
      }
    }
    return conditions
  }

  get #hasVariables(): boolean {
    return this.#version === '2012-10-17'
  }

  #versionOf(member: Member | undefined): PolicyVersion {
    if (member === undefined) return '2008-10-17'
    const { text, at } = this.#string(member.value, 'Version')
    if (text !== '2012-10-17' && text !== '2008-10-17') this.#fail('Grammar', `The policy must contain a valid version string, not ${text}`, at)
    return text as PolicyVersion
  }

  #sid(node: JsonNode): string {
    const { text, at } = this.#string(node, 'Sid')
    // Bucket policies may have spaces in it.
    const allowed = this.#kind === 'identity' ? /^[A-Za-z0-9]*$/ : /^[A-Za-z0-9 ._-]*$/
    if (!allowed.test(text)) this.#fail('Grammar', `Invalid Sid: ${text}`, at)
    return text
  }

  #distinctSids(nodes: readonly JsonNode[]): void {
    const seen = new Set<string>()
    for (const node of nodes) {
      const sid = node.kind === 'object' ? node.members.get('Sid')?.value : undefined
      if (sid?.kind !== 'string' || sid.text === '') continue
      if (seen.has(sid.text)) this.#fail('Grammar', `Statement IDs (SID) in a single policy must be unique: ${sid.text}`, sid.at)
      seen.add(sid.text)
    }
  }

  /** `Action` or `NotAction`; both is an error. */
  #oneOf(members: ReadonlyMap<string, Member>, element: string, at: number): Either | undefined {
    const plain = members.get(element)
    const not = members.get(`Not${element}`)
    if (plain !== undefined && not !== undefined) this.#fail('Grammar', `A statement has either ${element} or Not${element}`, at)
    if (plain !== undefined) return { negated: false, member: plain, name: element }
    return not === undefined ? undefined : { negated: true, member: not, name: `Not${element}` }
  }

  #onlyElements({ members }: ObjectNode, allowed: readonly string[]): void {
    for (const [name, { at }] of members) if (!allowed.includes(name)) this.#fail('Grammar', `Unknown field ${name}`, at)
  }

  #object(node: JsonNode, what: string): ObjectNode {
    return node.kind === 'object' ? node : this.#fail('Grammar', `${what} must be an object`, node.at)
  }

  #string(node: JsonNode, what: string): Placed {
    return node.kind === 'string' ? node : this.#fail('Grammar', `${what} must be a string`, node.at)
  }

  #strings(node: JsonNode, what: string): readonly Placed[] {
    if (node.kind !== 'array') return [this.#string(node, what)]
    if (node.items.length === 0) this.#fail('Grammar', `${what} must name something`, node.at)
    return node.items.map(item => this.#string(item, what))
  }

  /** Condition values may be numbers and booleans. */
  #scalars(node: JsonNode, what: string): readonly Placed[] {
    const nodes = node.kind === 'array' ? node.items : [node]
    if (nodes.length === 0) this.#fail('Condition', `${what} must have a value`, node.at)
    return nodes.map(item => ('text' in item ? item : this.#fail('Condition', `${what} must be text, a number or a boolean`, item.at)))
  }

  #required<T>(value: T | undefined, code: PolicyErrorCode, reason: string, at: number): T {
    return value ?? this.#fail(code, reason, at)
  }

  #fail(code: PolicyErrorCode, reason: string, at: number): never {
    throw new PolicyError(code, reason, positionOf(this.#text, at))
  }
}

interface Either {
  readonly negated: boolean
  readonly member: Member
  readonly name: string
}
