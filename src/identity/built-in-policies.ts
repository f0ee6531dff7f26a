/** Managed policies that every account has, unchangeable. Those in lower case are MinIO's, by its names; the others AWS's. */
const arnPrefix = 'arn:aws:iam::aws:policy/'

export interface BuiltInPolicy {
  readonly name: string
  readonly arn: string
  readonly description: string
  readonly document: string
}

const everything = ['arn:aws:s3:::*']

const statements: Readonly<Record<string, readonly [description: string, actions: readonly string[], resources: readonly string[]]>> = {
  readwrite: ['Everything in all buckets of the account', ['s3:*'], everything],
  readonly: ['Reads objects', ['s3:GetBucketLocation', 's3:GetObject'], everything],
  writeonly: ['Writes objects, and reads none', ['s3:PutObject'], everything],
  diagnostics: ['Looks at the server’s health', ['admin:Profiling', 'admin:ServerTrace', 'admin:ConsoleLog', 'admin:ServerInfo', 'admin:TopLocksInfo', 'admin:OBDInfo', 'admin:BandwidthMonitor', 'admin:Prometheus'], everything],
  consoleAdmin: ['Everything in the account', ['admin:*', 's3:*', 'iam:*', 'sts:*', 's3tables:*', 'kms:*'], ['*']],
  tablesAdmin: ['Everything in all warehouses of the account', ['s3tables:*'], ['*']],
  iamAdmin: ['Users, groups, roles and policies of the account', ['iam:*', 'sts:*'], ['*']],
  AdministratorAccess: ['Everything in the account', ['*'], ['*']],
  AmazonS3FullAccess: ['Everything in all buckets of the account', ['s3:*'], ['*']],
  AmazonS3ReadOnlyAccess: ['Reads and lists in all buckets of the account', ['s3:Get*', 's3:List*', 's3:Describe*'], ['*']],
  IAMFullAccess: ['Users, groups, roles and policies of the account', ['iam:*'], ['*']],
  IAMReadOnlyAccess: ['Looks at users, groups, roles and policies', ['iam:Get*', 'iam:List*', 'iam:Simulate*'], ['*']],
}

export const builtInPolicies: ReadonlyMap<string, BuiltInPolicy> = new Map(
  Object.entries(statements).map(([name, [description, Action, Resource]]) => {
    const document = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })
    return [arnPrefix + name, { name, arn: arnPrefix + name, description, document }]
  }),
)

/** By name, as MinIO's tokens and configurations have it. */
export const builtInPolicyNamed = (name: string): BuiltInPolicy | undefined => builtInPolicies.get(arnPrefix + name)

export const isBuiltInArn = (arn: string): boolean => arn.startsWith(arnPrefix)
