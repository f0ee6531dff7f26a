import { iamArn, type PolicyRecord, type PolicyVersion } from '../identity/iam-records.ts'
import type { IamReader, IamRows } from '../identity/iam-rows.ts'
import { refuseBuiltIn, requirePolicy } from './entities.ts'

/** More are counted as so many: attachments are listed in pages. */
const mostCounted = 1000

export async function attachmentsOf(iam: IamReader, arn: string): Promise<number> {
  return (await iam.members(`attachment/${arn}`, { limit: mostCounted })).length
}

/** What a managed policy is attached to: `user/NAME`, `group/NAME`, `role/NAME`. */
export const entitiesOf = (iam: IamReader, arn: string, page: { readonly after?: string; readonly limit: number }): Promise<string[]> => iam.members(`attachment/${arn}`, page)

export const firstVersion = (document: string, createdAtMs: number): PolicyVersion => ({ versionId: 'v1', document, createdAtMs })

/** `policy/PATH/NAME`, as the given ARN has it. */
export function policyResource(arn: string | undefined): string {
  return (arn ?? '').split(':').slice(5).join(':')
}

/** Changes one customer managed policy in one commit. */
export function changingPolicy(arn: string | undefined, change: (policy: PolicyRecord) => PolicyRecord) {
  refuseBuiltIn(arn)
  return async (rows: IamRows): Promise<PolicyRecord> => {
    const changed = change(await requirePolicy(rows, arn))
    rows.put('policy', changed)
    return changed
  }
}

export const customerPolicy = (accountId: string, { name, path }: Pick<PolicyRecord, 'name' | 'path'>): string => iamArn(accountId, 'policy', { name, path })
