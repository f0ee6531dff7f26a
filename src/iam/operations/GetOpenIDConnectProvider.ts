import type { Operation } from '../operation.ts'
import { providerResource, requireProvider } from '../providers.ts'
import { dateOf, tagsView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html. Errors: NoSuchEntity. */
export const GetOpenIDConnectProvider: Operation<'GetOpenIDConnectProvider'> = {
  honours: ['OpenIDConnectProviderArn'],
  resource: ({ OpenIDConnectProviderArn }) => providerResource(OpenIDConnectProviderArn),
  async run({ OpenIDConnectProviderArn }, { iam }) {
    const { name, clientIds, thumbprints, createdAtMs, tags } = await requireProvider(iam, OpenIDConnectProviderArn)
    return { Url: name, ClientIDList: [...clientIds], ThumbprintList: [...thumbprints], CreateDate: dateOf(createdAtMs), Tags: tagsView(tags) }
  },
}
