/**
 * What the AWS Terraform provider asks of IAM for `aws_iam_role`, `aws_iam_policy`, `aws_iam_role_policy_attachment`,
 * `aws_iam_user` and `aws_iam_access_key`: to create, to refresh and to destroy, in the provider's order.
 */
import {
  AttachRolePolicyCommand, CreateAccessKeyCommand, CreatePolicyCommand, CreateRoleCommand, CreateUserCommand, DeleteAccessKeyCommand, DeleteLoginProfileCommand,
  DeletePolicyCommand, DeleteRoleCommand, DeleteUserCommand, DetachRolePolicyCommand, GetPolicyCommand, GetPolicyVersionCommand, GetRoleCommand, GetUserCommand,
  ListAccessKeysCommand, ListAttachedRolePoliciesCommand, ListGroupsForUserCommand, ListInstanceProfilesForRoleCommand, ListMFADevicesCommand, ListPolicyVersionsCommand,
  ListRolePoliciesCommand, ListServiceSpecificCredentialsCommand, ListSigningCertificatesCommand, ListSSHPublicKeysCommand, TagRoleCommand, UntagRoleCommand,
  UpdateAssumeRolePolicyCommand, UpdateRoleCommand,
} from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type StartedServer } from '../start-server.ts'
import { allow, clientsOf, codeOf, trusting, type Clients } from './connect.ts'

let server: StartedServer
let iam: Clients['iam']
let account = ''

beforeAll(async () => {
  server = await startServer({ workers: 2 })
  const root = clientsOf(server.endpoint, server)
  iam = root.iam
  account = (await root.sts.send(new GetCallerIdentityCommand({}))).Account ?? ''
}, 90_000)
afterAll(() => server.stop(), 60_000)

test('a role with an attached policy is created, read back as it was given, changed and destroyed', async () => {
  const RoleName = 'terraform-role'
  const AssumeRolePolicyDocument = trusting({ AWS: `arn:aws:iam::${account}:root` })
  const created = await iam.send(new CreateRoleCommand({ RoleName, Path: '/', AssumeRolePolicyDocument, MaxSessionDuration: 3600, Tags: [{ Key: 'ManagedBy', Value: 'terraform' }] }))
  expect(created.Role?.Arn).toBe(`arn:aws:iam::${account}:role/${RoleName}`)
  const read = await iam.send(new GetRoleCommand({ RoleName }))
  expect(decodeURIComponent(read.Role?.AssumeRolePolicyDocument ?? '')).toBe(AssumeRolePolicyDocument)
  expect(read.Role).toMatchObject({ MaxSessionDuration: 3600, Path: '/', Tags: [{ Key: 'ManagedBy', Value: 'terraform' }] })
  const PolicyDocument = allow('s3:GetObject', 'arn:aws:s3:::a/*')
  const PolicyArn = (await iam.send(new CreatePolicyCommand({ PolicyName: 'terraform-policy', Path: '/', PolicyDocument }))).Policy?.Arn ?? ''
  const VersionId = (await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.DefaultVersionId ?? ''
  expect(decodeURIComponent((await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }))).PolicyVersion?.Document ?? '')).toBe(PolicyDocument)
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
  expect((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies?.map(policy => policy.PolicyArn)).toEqual([PolicyArn])
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: AssumeRolePolicyDocument }))
  await iam.send(new UpdateRoleCommand({ RoleName, Description: 'changed', MaxSessionDuration: 7200 }))
  await iam.send(new TagRoleCommand({ RoleName, Tags: [{ Key: 'Stage', Value: 'test' }] }))
  await iam.send(new UntagRoleCommand({ RoleName, TagKeys: ['ManagedBy'] }))
  expect((await iam.send(new GetRoleCommand({ RoleName }))).Role).toMatchObject({ Description: 'changed', MaxSessionDuration: 7200, Tags: [{ Key: 'Stage', Value: 'test' }] })
  await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
  expect((await iam.send(new ListPolicyVersionsCommand({ PolicyArn }))).Versions?.map(version => version.IsDefaultVersion)).toEqual([true])
  await iam.send(new DeletePolicyCommand({ PolicyArn }))
  expect(await codeOf(iam.send(new GetPolicyCommand({ PolicyArn })))).toBe('NoSuchEntity')
  expect((await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName }))).InstanceProfiles).toEqual([])
  expect((await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual([])
  await iam.send(new DeleteRoleCommand({ RoleName }))
  expect(await codeOf(iam.send(new GetRoleCommand({ RoleName })))).toBe('NoSuchEntity')
})

test('a user with a key is destroyed by force: everything that it could have is asked for first', async () => {
  const UserName = 'terraform-user'
  await iam.send(new CreateUserCommand({ UserName, Path: '/system/' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  expect((await iam.send(new GetUserCommand({ UserName }))).User?.Path).toBe('/system/')
  expect((await iam.send(new ListGroupsForUserCommand({ UserName }))).Groups).toEqual([])
  expect((await iam.send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata?.map(key => key.Status)).toEqual(['Active'])
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: AccessKey?.AccessKeyId }))
  expect((await iam.send(new ListSSHPublicKeysCommand({ UserName }))).SSHPublicKeys).toEqual([])
  expect((await iam.send(new ListMFADevicesCommand({ UserName }))).MFADevices).toEqual([])
  expect(await codeOf(iam.send(new DeleteLoginProfileCommand({ UserName })))).toBe('NoSuchEntity')
  expect((await iam.send(new ListSigningCertificatesCommand({ UserName }))).Certificates).toEqual([])
  expect((await iam.send(new ListServiceSpecificCredentialsCommand({ UserName }))).ServiceSpecificCredentials).toEqual([])
  await iam.send(new DeleteUserCommand({ UserName }))
  expect(await codeOf(iam.send(new GetUserCommand({ UserName })))).toBe('NoSuchEntity')
})
