import type { Operation } from '../operation.ts'
import { providerResource, requireProvider } from '../providers.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html. Errors: NoSuchEntity. */
export const DeleteOpenIDConnectProvider: Operation<'DeleteOpenIDConnectProvider'> = {
  honours: ['OpenIDConnectProviderArn'],
  resource: ({ OpenIDConnectProviderArn }) => providerResource(OpenIDConnectProviderArn),
  async run({ OpenIDConnectProviderArn }, { identity, accountId }) {
    await identity.changeIam(accountId, async rows => rows.delete('provider', (await requireProvider(rows, OpenIDConnectProviderArn)).name))
    return {}
  },
}
