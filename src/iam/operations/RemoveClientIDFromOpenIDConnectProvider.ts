import type { Operation } from '../operation.ts'
import { changingProvider, providerResource } from '../providers.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html. Errors: NoSuchEntity. */
export const RemoveClientIDFromOpenIDConnectProvider: Operation<'RemoveClientIDFromOpenIDConnectProvider'> = {
  honours: ['OpenIDConnectProviderArn', 'ClientID'],
  resource: ({ OpenIDConnectProviderArn }) => providerResource(OpenIDConnectProviderArn),
  async run({ OpenIDConnectProviderArn, ClientID }, { identity, accountId }) {
    await identity.changeIam(accountId, changingProvider(OpenIDConnectProviderArn, provider => ({ ...provider, clientIds: provider.clientIds.filter(id => id !== ClientID) })))
    return {}
  },
}
