import type { AccessKeyMetadata, Group, Policy, PolicyVersion, Role, Tag, User } from '@aws-sdk/client-iam'
import type { BuiltInPolicy } from '../identity/built-in-policies.ts'
import { iamArn, type GroupRecord, type PolicyRecord, type PolicyVersion as StoredVersion, type RoleRecord, type Tags, type UserRecord } from '../identity/iam-records.ts'
import type { AccessKeyRecord } from '../identity/identity-records.ts'
import { encodeDocument } from './documents.ts'

/** Records as the answers show them. Dates have whole seconds, as AWS's. */
export const dateOf = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000)

export const tagsView = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))

const boundaryView = (boundary: string | undefined): Pick<User, 'PermissionsBoundary'> =>
  boundary === undefined ? {} : { PermissionsBoundary: { PermissionsBoundaryType: 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: boundary } }

const withTags = (tags: Tags): Pick<User, 'Tags'> => (Object.keys(tags).length === 0 ? {} : { Tags: tagsView(tags) })

export type Detail = 'listed' | 'whole'

/** Lists show neither tags nor boundaries, as AWS's do not. */
export function userView(accountId: string, user: UserRecord, detail: Detail): User {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: iamArn(accountId, 'user', user),
    CreateDate: dateOf(user.createdAtMs),
    ...(detail === 'whole' ? { ...boundaryView(user.boundary), ...withTags(user.tags) } : {}),
  }
}

export function groupView(accountId: string, group: GroupRecord): Group {
  return { Path: group.path, GroupName: group.name, GroupId: group.id, Arn: iamArn(accountId, 'group', group), CreateDate: dateOf(group.createdAtMs) }
}

export function roleView(accountId: string, role: RoleRecord, detail: Detail): Role {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: iamArn(accountId, 'role', role),
    CreateDate: dateOf(role.createdAtMs),
    AssumeRolePolicyDocument: encodeDocument(role.trust),
    ...(role.description === '' ? {} : { Description: role.description }),
    MaxSessionDuration: role.maxSessionSeconds,
    ...(detail === 'whole' ? { ...boundaryView(role.boundary), ...withTags(role.tags), RoleLastUsed: {} } : {}),
  }
}

export function policyView(accountId: string, policy: PolicyRecord, attachments: number, detail: Detail): Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: iamArn(accountId, 'policy', policy),
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    ...(detail === 'whole' ? { ...(policy.description === '' ? {} : { Description: policy.description }), ...withTags(policy.tags) } : {}),
    CreateDate: dateOf(policy.createdAtMs),
    UpdateDate: dateOf(policy.updatedAtMs),
  }
}

/** Built-in policies have no id of their own; their name stands in for it. */
export function builtInView({ name, arn, description }: BuiltInPolicy, attachments: number): Policy {
  return {
    PolicyName: name,
    PolicyId: `ANPA${name.toUpperCase()}`,
    Arn: arn,
    Path: '/',
    DefaultVersionId: 'v1',
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    Description: description,
    CreateDate: new Date(0),
    UpdateDate: new Date(0),
  }
}

export function versionView({ versionId, document, createdAtMs }: StoredVersion, defaultVersionId: string, detail: Detail): PolicyVersion {
  return {
    ...(detail === 'whole' ? { Document: encodeDocument(document) } : {}),
    VersionId: versionId,
    IsDefaultVersion: versionId === defaultVersionId,
    CreateDate: dateOf(createdAtMs),
  }
}

export function accessKeyView({ userName, accessKeyId, status, createdAtMs }: AccessKeyRecord): AccessKeyMetadata {
  return { ...(userName === undefined ? {} : { UserName: userName }), AccessKeyId: accessKeyId, Status: status, CreateDate: dateOf(createdAtMs) }
}
