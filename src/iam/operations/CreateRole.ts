import type { RoleRecord } from '../../identity/iam-records.ts'
import { checkDocument, trustLimit } from '../documents.ts'
import { requireAnyPolicy, requireFree } from '../entities.ts'
import { checkDescription, checkName, checkPath, checkTags, invalid } from '../names.ts'
import type { Operation } from '../operation.ts'
import { roleView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html. Errors: EntityAlreadyExists, MalformedPolicyDocument, NoSuchEntity (the boundary). */
export const CreateRole: Operation<'CreateRole'> = {
  honours: ['RoleName', 'Path', 'AssumeRolePolicyDocument', 'Description', 'MaxSessionDuration', 'PermissionsBoundary', 'Tags'],
  resource: ({ Path = '/', RoleName }) => `role${Path}${RoleName ?? ''}`,
  async run({ RoleName = '', Path, AssumeRolePolicyDocument = '', Description, MaxSessionDuration = 3600, PermissionsBoundary, Tags }, { identity, accountId, nowMs, policies }) {
    const name = checkName('roleName', RoleName, 64)
    const path = checkPath(Path)
    const description = checkDescription(Description)
    const tags = checkTags(Tags)
    if (MaxSessionDuration < 3600 || MaxSessionDuration > 43_200) throw invalid('maxSessionDuration', 'Member must have value between 3600 and 43200')
    const trust = checkDocument(policies, AssumeRolePolicyDocument, 'trust', trustLimit)
    const role = await identity.changeIam(accountId, async rows => {
      await requireFree(rows, 'role', name)
      if (PermissionsBoundary !== undefined) await requireAnyPolicy(rows, PermissionsBoundary)
      const boundary = PermissionsBoundary === undefined ? {} : { boundary: PermissionsBoundary }
      const created: RoleRecord = {
        name, path, id: rows.newId('role'), createdAtMs: nowMs, tags, description, trust, maxSessionSeconds: MaxSessionDuration, attached: [], inline: {}, ...boundary,
      }
      rows.put('role', created)
      return created
    })
    return { Role: roleView(accountId, role, 'whole') }
  },
}
