// Signing in through others: providers, ID tokens, single sign-on, wallets; nameless accounts.

import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { address, admin, device, good, needing, opened, password, phoneNumber, refused } from '../support.mjs'

const base58 = (bytes) => {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = alphabet[Number(number % 58n)] + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros) + text
}

export default {
  'is sent to a provider, and back with its refusal': needing(['GET /authorize', 'GET /callback'], async () => {
    const client = device({ flowType: 'pkce' })
    const options = { redirectTo: 'http://localhost:3000/welcome', scopes: 'read:user', skipBrowserRedirect: true }
    const { url } = good(await client.signInWithOAuth({ provider: 'github', options }))
    const provider = await opened(url)
    assert.equal(provider.origin + provider.pathname, 'https://github.com/login/oauth/authorize')
    assert.match(provider.searchParams.get('scope'), /read:user/)
    const state = provider.searchParams.get('state')
    const back = await opened(new URL(`/callback?state=${state}&error=access_denied`, url))
    assert.equal(back.origin + back.pathname, 'http://localhost:3000/welcome')
    assert.match(back.href, /error=access_denied/)
  }),

  'shows and removes ways in': needing(['DELETE /user/identities/{identity_id}'], async () => {
    const email = address('amy')
    good(await admin.createUser({ email, password, email_confirm: true, phone: phoneNumber(), phone_confirm: true }))
    const client = device()
    good(await client.signInWithPassword({ email, password }))
    const { identities } = good(await client.getUserIdentities())
    assert.equal(identities.length, 2)
    const phone = identities.find(({ provider }) => provider === 'phone')
    good(await client.unlinkIdentity(phone))
    const [last] = good(await client.getUserIdentities()).identities
    refused(await client.unlinkIdentity(last), 422, 'single_identity_not_deletable')
  }),

  'begins to link another way in': needing(['GET /user/identities/authorize'], async () => {
    const client = device()
    good(await client.signUp({ email: address('ben'), password }))
    const { url } = good(await client.linkIdentity({ provider: 'github', options: { skipBrowserRedirect: true } }))
    assert.match(url, /^https:\/\/github\.com\/login\/oauth\/authorize/)
  }),

  'is refused with an ID token of nobody': needing(['POST /token?grant_type=id_token'], async () => {
    const { error } = await device().signInWithIdToken({ provider: 'google', token: 'not.a.token' })
    assert.equal(error.status, 400)
    assert.match(error.message, /not enabled|Bad ID token/)
  }),

  'is refused single sign-on': needing(['POST /sso'], async () => {
    refused(await device().signInWithSSO({ domain: 'example.com' }), 404, 'saml_provider_disabled', /SAML 2.0 is disabled/)
  }),

  'signs in by a wallet, once for each message': needing(['POST /token?grant_type=web3'], async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const bytes = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
    const wallet = {
      publicKey: { toBase58: () => base58(bytes) },
      signMessage: async (message) => new Uint8Array(sign(null, message, privateKey)),
    }
    const statement = 'I accept the terms.'
    const options = { url: 'http://localhost:3000/' }
    const { user } = good(await device().signInWithWeb3({ chain: 'solana', statement, wallet, options }))
    assert.equal(user.identities[0].provider, 'web3')
    const message = 'localhost:3000 wants you to sign in with your Ethereum account:'
    const wrong = await device().signInWithWeb3({ chain: 'ethereum', message, signature: `0x${'0'.repeat(130)}` })
    assert.equal(wrong.error.status, 400)
  }),
}
