import { iamArn } from '../../identity/iam-records.ts'
import type { Operation } from '../operation.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html */
export const ListOpenIDConnectProviders: Operation<'ListOpenIDConnectProviders'> = {
  honours: [],
  resource: () => '*',
  async run(_input, { iam, accountId }) {
    const providers = await iam.list('provider', { limit: 1000 })
    return { OpenIDConnectProviderList: providers.map(provider => ({ Arn: iamArn(accountId, 'provider', provider) })) }
  },
}
