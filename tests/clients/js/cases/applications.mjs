// The OAuth server: applications that sign their users in here.

import assert from 'node:assert/strict'
import { address, admin, device, good, needing, opened, password, url } from '../support.mjs'

const BACK = 'https://app.example.com/back'
const VERIFIER = 'a-verifier-that-is-longer-than-forty-three-characters'
const NEEDS = ['POST /admin/oauth/clients', 'GET /oauth/authorize', 'POST /oauth/token']

const application = async () =>
  good(await admin.oauth.createClient({ client_name: 'App', redirect_uris: [BACK], token_endpoint_auth_method: 'none' }))

// The application sends somebody here; the id of what is asked.
const asks = async (client) => {
  const query = new URLSearchParams({
    client_id: client.client_id, redirect_uri: BACK, scope: 'email', state: 'abc',
    code_challenge: VERIFIER, code_challenge_method: 'plain',
  })
  return (await opened(`${url}/oauth/authorize?${query}`)).searchParams.get('authorization_id')
}

const person = async (name) => {
  const client = device()
  good(await client.signUp({ email: address(name), password }))
  return client
}

export default {
  'administers applications': needing(NEEDS, async () => {
    const made = good(await admin.oauth.createClient({ client_name: 'C', redirect_uris: [BACK] }))
    assert.ok(made.client_secret)
    const { client_id } = made
    assert.equal(good(await admin.oauth.getClient(client_id)).client_secret, undefined)
    assert.ok(good(await admin.oauth.listClients()).clients.some((client) => client.client_id === client_id))
    assert.equal(good(await admin.oauth.updateClient(client_id, { client_name: 'D' })).client_name, 'D')
    assert.notEqual(good(await admin.oauth.regenerateClientSecret(client_id)).client_secret, made.client_secret)
    assert.equal((await admin.oauth.deleteClient(client_id)).error, null)
    assert.ok((await admin.oauth.getClient(client_id)).error)
    assert.match((await admin.oauth.createClient({ client_name: 'C', redirect_uris: [] })).error.message, /redirect_uris/)
  }),

  'lets an application in, and shuts it out again': needing(NEEDS, async () => {
    const client = await application()
    const user = await person('cas')
    const id = await asks(client)
    const details = good(await user.oauth.getAuthorizationDetails(id))
    assert.equal(details.client.name, 'App')
    assert.equal(details.scope, 'email')
    const approved = good(await user.oauth.approveAuthorization(id, { skipBrowserRedirect: true }))
    const target = new URL(approved.redirect_url)
    assert.equal(target.searchParams.get('state'), 'abc')
    const body = new URLSearchParams({
      grant_type: 'authorization_code', code: target.searchParams.get('code'), redirect_uri: BACK,
      client_id: client.client_id, code_verifier: VERIFIER,
    })
    const tokens = await (await fetch(`${url}/oauth/token`, { method: 'POST', body })).json()
    assert.ok(tokens.access_token, JSON.stringify(tokens))
    assert.equal(good(await user.oauth.listGrants())[0].client.id, client.client_id)
    assert.equal((await user.oauth.revokeGrant({ clientId: client.client_id })).error, null)
    assert.deepEqual(good(await user.oauth.listGrants()), [])
  }),

  'does not let an application in': needing(NEEDS, async () => {
    const user = await person('dee')
    const id = await asks(await application())
    good(await user.oauth.getAuthorizationDetails(id))
    const denied = good(await user.oauth.denyAuthorization(id, { skipBrowserRedirect: true }))
    assert.match(denied.redirect_url, /error=access_denied/)
  }),
}
