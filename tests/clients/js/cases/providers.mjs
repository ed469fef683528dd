// Custom providers, as administrators keep them; nameless accounts.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { admin, device, good, needing } from '../support.mjs'

export default {
  'administers custom providers': needing(['POST /admin/custom-providers'], async () => {
    const identifier = `custom:${randomUUID().slice(0, 8)}`
    const made = good(
      await admin.customProviders.createProvider({
        provider_type: 'oauth2', identifier, name: 'Somewhere', client_id: 'c', client_secret: 's',
        authorization_url: 'https://93.184.216.34/a', token_url: 'https://93.184.216.34/t', userinfo_url: 'https://93.184.216.34/u',
      }),
    )
    assert.equal(made.client_secret, undefined)
    assert.equal(good(await admin.customProviders.getProvider(identifier)).name, 'Somewhere')
    const { providers } = good(await admin.customProviders.listProviders())
    assert.ok(providers.some((provider) => provider.identifier === identifier))
    assert.equal(good(await admin.customProviders.updateProvider(identifier, { name: 'Elsewhere' })).name, 'Elsewhere')
    assert.equal((await admin.customProviders.deleteProvider(identifier)).error, null)
    assert.equal((await admin.customProviders.getProvider(identifier)).error.code, 'custom_provider_not_found')
  }),
}
