import type { PolicyRecord } from '../../identity/iam-records.ts'
import { checkDocument, managedLimit } from '../documents.ts'
import { requireFree } from '../entities.ts'
import { firstVersion } from '../managed.ts'
import { checkDescription, checkName, checkPath, checkTags } from '../names.ts'
import type { Operation } from '../operation.ts'
import { policyView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html. Errors: EntityAlreadyExists, MalformedPolicyDocument. */
export const CreatePolicy: Operation<'CreatePolicy'> = {
  honours: ['PolicyName', 'Path', 'PolicyDocument', 'Description', 'Tags'],
  resource: ({ Path = '/', PolicyName }) => `policy${Path}${PolicyName ?? ''}`,
  async run({ PolicyName = '', Path, PolicyDocument = '', Description, Tags }, { identity, accountId, nowMs, policies }) {
    const name = checkName('policyName', PolicyName, 128)
    const path = checkPath(Path)
    const description = checkDescription(Description)
    const tags = checkTags(Tags)
    const document = checkDocument(policies, PolicyDocument, 'identity', managedLimit)
    const policy = await identity.changeIam(accountId, async rows => {
      await requireFree(rows, 'policy', name)
      const created: PolicyRecord = {
        name, path, id: rows.newId('policy'), createdAtMs: nowMs, updatedAtMs: nowMs, description, tags,
        versions: [firstVersion(document, nowMs)], defaultVersionId: 'v1', nextVersion: 2,
      }
      rows.put('policy', created)
      return created
    })
    return { Policy: policyView(accountId, policy, 0, 'whole') }
  },
}
