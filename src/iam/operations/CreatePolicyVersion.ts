import { QueryError } from '../../wire/query-error.ts'
import { checkDocument, managedLimit } from '../documents.ts'
import { changingPolicy, policyResource } from '../managed.ts'
import type { Operation } from '../operation.ts'
import { versionView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html: five at most. Errors: NoSuchEntity, LimitExceeded, MalformedPolicyDocument. */
export const CreatePolicyVersion: Operation<'CreatePolicyVersion'> = {
  honours: ['PolicyArn', 'PolicyDocument', 'SetAsDefault'],
  resource: ({ PolicyArn }) => policyResource(PolicyArn),
  async run({ PolicyArn, PolicyDocument = '', SetAsDefault = false }, { identity, accountId, nowMs, policies }) {
    const document = checkDocument(policies, PolicyDocument, 'identity', managedLimit)
    const changed = await identity.changeIam(accountId, changingPolicy(PolicyArn, policy => {
      if (policy.versions.length >= 5) throw new QueryError('LimitExceeded', 'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.')
      const version = { versionId: `v${policy.nextVersion}`, document, createdAtMs: nowMs }
      return {
        ...policy, versions: [...policy.versions, version], nextVersion: policy.nextVersion + 1, updatedAtMs: nowMs,
        defaultVersionId: SetAsDefault ? version.versionId : policy.defaultVersionId,
      }
    }))
    const made = changed.versions.at(-1)
    return made === undefined ? {} : { PolicyVersion: versionView(made, changed.defaultVersionId, 'listed') }
  },
}
