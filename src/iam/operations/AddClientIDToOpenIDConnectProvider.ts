import type { Operation } from '../operation.ts'
import { changingProvider, checkClientIds, providerResource } from '../providers.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html. Errors: NoSuchEntity. */
export const AddClientIDToOpenIDConnectProvider: Operation<'AddClientIDToOpenIDConnectProvider'> = {
  honours: ['OpenIDConnectProviderArn', 'ClientID'],
  resource: ({ OpenIDConnectProviderArn }) => providerResource(OpenIDConnectProviderArn),
  async run({ OpenIDConnectProviderArn, ClientID = '' }, { identity, accountId }) {
    await identity.changeIam(accountId, changingProvider(OpenIDConnectProviderArn, provider => ({ ...provider, clientIds: checkClientIds([...provider.clientIds, ClientID]) })))
    return {}
  },
}
