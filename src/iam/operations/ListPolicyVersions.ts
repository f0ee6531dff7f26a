import { requireAnyPolicy } from '../entities.ts'
import { firstVersion, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { pageOf } from '../paging.ts'
import { versionView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html. Errors: NoSuchEntity. */
export const ListPolicyVersions: Operation<'ListPolicyVersions'> = {
  honours: ['PolicyArn', 'Marker', 'MaxItems'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run(input, { iam }) {
    const any = await requireAnyPolicy(iam, input.PolicyArn)
    const versions = any.kind === 'builtIn' ? [firstVersion(any.policy.document, 0)] : any.policy.versions
    const defaultId = any.kind === 'builtIn' ? 'v1' : any.policy.defaultVersionId
    const { items, paging } = await pageOf(input, version => version.versionId.padStart(9, '0'), versions)
    return { Versions: items.map(version => versionView(version, defaultId, 'listed')).toReversed(), ...paging }
  },
}
