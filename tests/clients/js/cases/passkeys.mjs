// Passkeys and security keys, with an authenticator of software.

import assert from 'node:assert/strict'
import { Authenticator } from '../authenticator.mjs'
import { address, admin, device, good, needing, password } from '../support.mjs'

const ORIGIN = 'http://localhost:3000'
const PASSKEYS = ['POST /passkeys/registration/verify', 'POST /passkeys/authentication/verify']

const person = async (name) => {
  const client = device()
  const { user } = good(await client.signUp({ email: address(name), password }))
  return { client, user }
}

export default {
  'registers a passkey and signs in by it': needing(PASSKEYS, async () => {
    const authenticator = new Authenticator(ORIGIN)
    const { client, user } = await person('xia')
    const passkey = good(await authenticator.during(() => client.registerPasskey()))
    assert.ok(passkey.id)
    const elsewhere = device()
    const { session } = good(await authenticator.during(() => elsewhere.signInWithPasskey()))
    assert.equal(session.user.id, user.id)
    assert.equal(good(await client.passkey.list()).length, 1)
    assert.equal(good(await client.passkey.update({ passkeyId: passkey.id, friendlyName: 'ring' })).friendly_name, 'ring')
    assert.equal(good(await admin.passkey.listPasskeys({ userId: user.id })).length, 1)
    assert.equal((await client.passkey.delete({ passkeyId: passkey.id })).error, null)
    assert.equal(good(await client.passkey.list()).length, 0)
  }),

  'goes step by step, and an administrator removes the passkey': needing(PASSKEYS, async () => {
    const authenticator = new Authenticator(ORIGIN)
    const { client, user } = await person('yve')
    const start = good(await client.passkey.startRegistration())
    const credential = authenticator.create(start.options).toJSON()
    const passkey = good(await client.passkey.verifyRegistration({ challengeId: start.challenge_id, credential }))
    const ask = good(await client.passkey.startAuthentication())
    const proof = authenticator.get(ask.options).toJSON()
    const elsewhere = device()
    const signedIn = good(await elsewhere.passkey.verifyAuthentication({ challengeId: ask.challenge_id, credential: proof }))
    assert.equal(signedIn.session.user.id, user.id)
    assert.equal((await admin.passkey.deletePasskey({ userId: user.id, passkeyId: passkey.id })).error, null)
    assert.equal(good(await client.passkey.list()).length, 0)
  }),

  'steps up by a security key': needing(['POST /factors'], async () => {
    const authenticator = new Authenticator(ORIGIN)
    const webauthn = { rpId: 'localhost', rpOrigins: [ORIGIN] }
    const { client } = await person('zoe')
    good(await authenticator.during(() => client.mfa.webauthn.register({ friendlyName: 'key', webauthn })))
    const { webauthn: keys } = good(await client.mfa.listFactors())
    const factorId = keys[0].id
    good(await authenticator.during(() => client.mfa.webauthn.authenticate({ factorId, webauthn })))
    assert.equal(good(await client.mfa.getAuthenticatorAssuranceLevel()).currentLevel, 'aal2')
    // And the same in single steps.
    const factor = good(await client.mfa.webauthn.enroll({ friendlyName: 'other' }))
    const asked = good(await authenticator.during(() => client.mfa.webauthn.challenge({ factorId: factor.id, webauthn })))
    const { type, credential_response } = asked.webauthn
    const { challengeId } = asked
    good(await client.mfa.webauthn.verify({ factorId: factor.id, challengeId, webauthn: { ...webauthn, type, credential_response } }))
  }),
}
