import { iamArn } from '../identity/iam-records.ts'
import type { KeyOwner } from '../identity/access-keys.ts'
import type { IamReader } from '../identity/iam-rows.ts'
import { QueryError } from '../wire/query-error.ts'
import { requireEntity } from './entities.ts'
import type { IamCall } from './operation.ts'

/** Where no user is named, the caller is meant; undefined: the account itself. */
export async function ownUser(userName: string | undefined, { caller, iam }: Pick<IamCall, 'caller' | 'iam'>): Promise<string | undefined> {
  if (userName !== undefined) return (await requireEntity(iam, 'user', userName)).name
  const { principal } = caller
  if (principal.kind === 'serverRoot' || principal.kind === 'accountRoot') return undefined
  if (principal.userName === undefined) throw new QueryError('ValidationError', 'Must specify userName when calling with non-User credentials')
  return principal.userName
}

export async function keyOwner(userName: string | undefined, call: Pick<IamCall, 'caller' | 'iam'>): Promise<KeyOwner> {
  const { name, accountId } = call.caller.account
  return { accountName: name, accountId, userName: await ownUser(userName, call) }
}

/** `user/PATH/NAME` of the named user or the caller; of nobody who exists without a path. */
export async function userResource(userName: string | undefined, { caller, iam }: { readonly caller: IamCall['caller']; readonly iam: IamReader }): Promise<string> {
  const name = userName ?? caller.principal.userName
  if (name === undefined) return 'root'
  const user = await iam.get('user', name)
  return user === undefined ? `user/${name}` : iamArn('', 'user', user).slice('arn:aws:iam:::'.length)
}
