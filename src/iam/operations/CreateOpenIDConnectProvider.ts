import { iamArn, type ProviderRecord } from '../../identity/iam-records.ts'
import { requireFree } from '../entities.ts'
import { checkTags } from '../names.ts'
import type { Operation } from '../operation.ts'
import { checkClientIds, checkThumbprints, providerName } from '../providers.ts'
import { tagsView } from '../views.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html. Thumbprints are kept and shown; certificates are verified as usual. Errors: EntityAlreadyExists, InvalidInput. */
export const CreateOpenIDConnectProvider: Operation<'CreateOpenIDConnectProvider'> = {
  honours: ['Url', 'ClientIDList', 'ThumbprintList', 'Tags'],
  resource: ({ Url }) => `oidc-provider/${(Url ?? '').replace(/^https:\/\//, '')}`,
  async run({ Url, ClientIDList, ThumbprintList, Tags }, { identity, accountId, nowMs }) {
    const name = providerName(Url)
    const [clientIds, thumbprints, tags] = [checkClientIds(ClientIDList), checkThumbprints(ThumbprintList), checkTags(Tags)]
    await identity.changeIam(accountId, async rows => {
      await requireFree(rows, 'provider', name)
      const created: ProviderRecord = { name, path: '/', id: rows.newId('provider'), createdAtMs: nowMs, clientIds, thumbprints, tags }
      rows.put('provider', created)
    })
    return { OpenIDConnectProviderArn: iamArn(accountId, 'provider', { name, path: '/' }), ...(Object.keys(tags).length === 0 ? {} : { Tags: tagsView(tags) }) }
  },
}
