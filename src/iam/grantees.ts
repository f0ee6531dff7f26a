import type { IamRecords } from '../identity/iam-records.ts'
import { QueryError } from '../wire/query-error.ts'
import { checkDocument, encodeDocument, inlineLimits, sizeOf } from './documents.ts'
import { changing, requireAnyPolicy, requireEntity } from './entities.ts'
import { checkName } from './names.ts'
import type { IamCall } from './operation.ts'
import { pageOf, type PageInput } from './paging.ts'

/** What users, groups and roles have in common: inline policies, and managed ones that are attached. */
export type Grantee = 'user' | 'group' | 'role'

/** AWS's default; `LimitExceeded` beyond. */
const maxAttached = 20
const maxInline = 100

export interface PolicyInput {
  readonly PolicyName?: string | undefined
  readonly PolicyDocument?: string | undefined
  readonly PolicyArn?: string | undefined
}

export async function putInline<K extends Grantee>(kind: K, name: string | undefined, { PolicyName = '', PolicyDocument = '' }: PolicyInput, call: IamCall): Promise<object> {
  const policyName = checkName('policyName', PolicyName, 128)
  const document = checkDocument(call.policies, PolicyDocument, 'identity', inlineLimits[kind])
  await call.identity.changeIam(call.accountId, changing(kind, name, record => {
    const inline = { ...record.inline, [policyName]: document }
    if (Object.values(inline).reduce((sum, each) => sum + sizeOf(each), 0) > inlineLimits[kind] || Object.keys(inline).length > maxInline) {
      throw new QueryError('LimitExceeded', `Maximum policy size of ${inlineLimits[kind]} bytes exceeded for ${kind} ${record.name}`)
    }
    return { ...record, inline }
  }))
  return {}
}

export async function getInline(kind: Grantee, name: string | undefined, policyName: string | undefined, { iam }: IamCall): Promise<{ readonly PolicyName: string; readonly PolicyDocument: string; readonly entity: string }> {
  const { inline, name: entity } = await requireEntity(iam, kind, name)
  const document = Object.hasOwn(inline, policyName ?? '') ? inline[policyName ?? ''] : undefined
  if (document === undefined) throw noInline(kind, policyName)
  return { PolicyName: policyName ?? '', PolicyDocument: encodeDocument(document), entity }
}

export async function deleteInline<K extends Grantee>(kind: K, name: string | undefined, policyName: string | undefined, { identity, accountId }: IamCall): Promise<object> {
  await identity.changeIam(accountId, changing(kind, name, record => {
    if (!Object.hasOwn(record.inline, policyName ?? '')) throw noInline(kind, policyName)
    return { ...record, inline: Object.fromEntries(Object.entries(record.inline).filter(([each]) => each !== policyName)) }
  }))
  return {}
}

export async function listInline(kind: Grantee, name: string | undefined, input: PageInput, { iam }: IamCall): Promise<{ readonly PolicyNames: string[]; readonly IsTruncated: boolean; readonly Marker?: string }> {
  const { inline } = await requireEntity(iam, kind, name)
  const { items, paging } = await pageOf(input, each => each, Object.keys(inline))
  return { PolicyNames: items, ...paging }
}

const noInline = (kind: Grantee, policyName: string | undefined): QueryError =>
  new QueryError('NoSuchEntity', `The ${kind} policy with name ${policyName ?? ''} cannot be found.`)

/** Attaching what is attached already succeeds, as in AWS. */
export async function attach<K extends Grantee>(kind: K, name: string | undefined, arn: string | undefined, { identity, accountId }: IamCall): Promise<object> {
  await identity.changeIam(accountId, changing(kind, name, async (record, rows) => {
    await requireAnyPolicy(rows, arn)
    const attached = [...new Set([...record.attached, arn ?? ''])]
    if (attached.length > maxAttached) throw new QueryError('LimitExceeded', `Cannot exceed quota for PoliciesPer${kind}: ${maxAttached}`)
    rows.addMember(`attachment/${arn ?? ''}`, `${kind}/${record.name}`)
    return { ...record, attached }
  }))
  return {}
}

export async function detach<K extends Grantee>(kind: K, name: string | undefined, arn: string | undefined, { identity, accountId }: IamCall): Promise<object> {
  await identity.changeIam(accountId, changing(kind, name, (record, rows) => {
    if (arn === undefined || !record.attached.includes(arn)) throw new QueryError('NoSuchEntity', `Policy ${arn ?? ''} was not found.`)
    rows.removeMember(`attachment/${arn}`, `${kind}/${record.name}`)
    return { ...record, attached: record.attached.filter(each => each !== arn) } satisfies IamRecords[K]
  }))
  return {}
}

export async function listAttached(
  kind: Grantee, name: string | undefined, input: PageInput & { readonly PathPrefix?: string | undefined }, { iam }: IamCall,
): Promise<{ readonly AttachedPolicies: { readonly PolicyName: string; readonly PolicyArn: string }[]; readonly IsTruncated: boolean; readonly Marker?: string }> {
  const { attached } = await requireEntity(iam, kind, name)
  const { PathPrefix = '/' } = input
  const within = attached.filter(arn => arn.slice(arn.indexOf(':policy/') + ':policy'.length).startsWith(PathPrefix))
  const { items, paging } = await pageOf(input, arn => arn, within)
  return { AttachedPolicies: items.map(arn => ({ PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn })), ...paging }
}
