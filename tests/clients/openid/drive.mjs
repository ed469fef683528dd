// Drives a certified OpenID Connect client through discovery, registration, the code flow with PKCE, user
// info and refresh. EVIDENT_URL is the server, EVIDENT_ISSUER the address it goes by, EVIDENT_USER_TOKEN a
// user's access token, EVIDENT_CLIENTS the clients that an administrator registered, as JSON.

import assert from 'node:assert/strict'
import * as openid from 'openid-client'

const issuer = process.env.EVIDENT_ISSUER
const user = process.env.EVIDENT_USER_TOKEN
const callback = 'https://photos.example.com/cb'

// The server goes by one address and listens at another.
const fetch = (input, init) => globalThis.fetch(String(input).replace(issuer, process.env.EVIDENT_URL), init)
const options = {
  // Over plain HTTP, with every signature checked against the published keys.
  execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks],
  [openid.customFetch]: fetch,
}

const ask = async (path, init) => {
  const response = await fetch(`${issuer}${path}`, { ...init, headers: { Authorization: `Bearer ${user}` } })
  assert.equal(response.status, 200, await response.clone().text())
  return response.json()
}

// What the browser and the application's page do: the user says yes.
const consent = async (url) => {
  const response = await fetch(url, { redirect: 'manual' })
  assert.equal(response.status, 302, await response.text())
  const id = new URL(response.headers.get('location')).searchParams.get('authorization_id')
  const seen = await ask(`/oauth/authorizations/${id}`)
  if (seen.redirect_url) return seen.redirect_url
  const body = JSON.stringify({ action: 'approve' })
  return (await ask(`/oauth/authorizations/${id}/consent`, { method: 'POST', body })).redirect_url
}

const flow = async (config, clientId) => {
  const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()]
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid email profile',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const back = new URL(await consent(url))
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
  const tokens = await openid.authorizationCodeGrant(config, back, checks)
  const claims = tokens.claims()
  assert.equal(claims.aud, clientId)
  assert.equal(claims.email, 'ada@example.com')
  assert.ok(claims.auth_time <= claims.iat)
  const info = await openid.fetchUserInfo(config, tokens.access_token, claims.sub)
  assert.deepEqual([info.sub, info.email, info.email_verified], [claims.sub, 'ada@example.com', true])
  const next = await openid.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(next.refresh_token, tokens.refresh_token)
  assert.equal((await openid.fetchUserInfo(config, next.access_token, claims.sub)).sub, claims.sub)
  // A code is good once, and the client understands what it is told.
  await assert.rejects(openid.authorizationCodeGrant(config, back, checks), (error) => {
    assert.equal(error.error, 'invalid_grant')
    assert.equal(error.error_description, 'Invalid authorization code')
    return true
  })
}

const proofs = {
  client_secret_basic: openid.ClientSecretBasic,
  client_secret_post: openid.ClientSecretPost,
  none: openid.None,
}
for (const { client_id: id, client_secret: secret, token_endpoint_auth_method: method } of JSON.parse(
  process.env.EVIDENT_CLIENTS,
)) {
  const config = await openid.discovery(new URL(issuer), id, undefined, proofs[method](secret), options)
  assert.equal(config.serverMetadata().supportsPKCE(), true)
  await flow(config, id)
  console.log(`ok   ${method}`)
}

for (const algorithm of ['oidc', 'oauth2']) {
  const metadata = { redirect_uris: [callback], client_name: 'Note Pad', token_endpoint_auth_method: 'none' }
  const config = await openid.dynamicClientRegistration(new URL(issuer), metadata, openid.None(), {
    ...options,
    algorithm,
  })
  await flow(config, config.clientMetadata().client_id)
  console.log(`ok   registers itself, by ${algorithm} discovery`)
}

const [{ client_id: known }] = JSON.parse(process.env.EVIDENT_CLIENTS)
const stranger = await openid.discovery(new URL(issuer), known, undefined, openid.ClientSecretBasic('wrong'), options)
await assert.rejects(openid.refreshTokenGrant(stranger, 'aaaaaaaaaaaa'), ({ error }) => error === 'invalid_client')
console.log('ok   a wrong secret is understood')
