// Second factors by code.

import assert from 'node:assert/strict'
import { address, admin, codeOf, device, good, needing, password, phoneNumber, refused, textTo, totp } from '../support.mjs'

const FACTORS = ['POST /factors', 'POST /factors/{factor_id}/verify']

const person = async (name) => {
  const client = device()
  const email = address(name)
  const { user } = good(await client.signUp({ email, password }))
  return { client, email, user }
}

export default {
  'steps up by TOTP': needing(FACTORS, async () => {
    const { client, email, user } = await person('uma')
    const level = async () => good(await client.mfa.getAuthenticatorAssuranceLevel())
    assert.equal((await level()).nextLevel, 'aal1')
    const factor = good(await client.mfa.enroll({ factorType: 'totp', friendlyName: 'telephone' }))
    assert.match(factor.totp.qr_code, /^data:image\/svg\+xml;utf-8,/)
    const challenge = good(await client.mfa.challenge({ factorId: factor.id }))
    const wrong = await client.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: '000000' })
    refused(wrong, 422, 'mfa_verification_failed', /Invalid TOTP code/)
    const again = good(await client.mfa.challenge({ factorId: factor.id }))
    const code = totp(factor.totp.secret)
    good(await client.mfa.verify({ factorId: factor.id, challengeId: again.id, code }))
    assert.deepEqual([(await level()).currentLevel, (await level()).nextLevel], ['aal2', 'aal2'])
    const { all, totp: proven } = good(await client.mfa.listFactors())
    assert.equal(all.length, 1)
    assert.equal(proven[0].id, factor.id)

    // On another device the password is not enough to change it.
    const other = device()
    good(await other.signInWithPassword({ email, password }))
    refused(await other.updateUser({ password: 'another good one' }), 401, 'insufficient_aal')
    const later = totp(factor.totp.secret, 1)
    good(await other.mfa.challengeAndVerify({ factorId: factor.id, code: later }))
    good(await other.updateUser({ password: 'another good one' }))

    const { factors } = good(await admin.mfa.listFactors({ userId: user.id }))
    assert.equal(factors[0].id, factor.id)
    good(await other.mfa.unenroll({ factorId: factor.id }))
    assert.equal(good(await other.getUser()).user.factors ?? undefined, undefined)
  }),

  'enrolls twice without a name, and an administrator removes one': needing(
    [...FACTORS, 'DELETE /admin/users/{user_id}/factors/{factor_id}'],
    async () => {
      const { client, user } = await person('val')
      const one = good(await client.mfa.enroll({ factorType: 'totp' }))
      good(await client.mfa.enroll({ factorType: 'totp' }))
      // The client wraps this answer twice.
      assert.equal(good(await admin.mfa.deleteFactor({ userId: user.id, id: one.id })).data.id, one.id)
      assert.equal(good(await admin.mfa.listFactors({ userId: user.id })).factors.length, 1)
    },
  ),

  'steps up by a code on the phone': needing(FACTORS, async () => {
    const { client } = await person('wes')
    const phone = phoneNumber()
    const factor = good(await client.mfa.enroll({ factorType: 'phone', phone, friendlyName: 'phone' }))
    const challenge = good(await client.mfa.challenge({ factorId: factor.id }))
    const code = codeOf(await textTo(phone))
    good(await client.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code }))
    assert.equal(good(await client.mfa.getAuthenticatorAssuranceLevel()).currentLevel, 'aal2')
  }),

  'is refused without a session': needing(FACTORS, async () => {
    const { error } = await device().mfa.enroll({ factorType: 'totp' })
    assert.match(error.message, /Bearer token|session missing/i)
  }),
}
