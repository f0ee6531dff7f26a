import type { Operation } from '../operation.ts'
import { changingProvider, checkThumbprints, providerResource } from '../providers.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html. Errors: NoSuchEntity. */
export const UpdateOpenIDConnectProviderThumbprint: Operation<'UpdateOpenIDConnectProviderThumbprint'> = {
  honours: ['OpenIDConnectProviderArn', 'ThumbprintList'],
  resource: ({ OpenIDConnectProviderArn }) => providerResource(OpenIDConnectProviderArn),
  async run({ OpenIDConnectProviderArn, ThumbprintList }, { identity, accountId }) {
    const thumbprints = checkThumbprints(ThumbprintList)
    await identity.changeIam(accountId, changingProvider(OpenIDConnectProviderArn, provider => ({ ...provider, thumbprints })))
    return {}
  },
}
