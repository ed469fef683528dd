// Codes by mail.

import assert from 'node:assert/strict'
import { address, again, codeTo, device, good, person, refused } from '../support.mjs'

const other = (code) => (code === '000000' ? '000001' : '000000')

export default {
  'signs in, and signs up': async () => {
    const [{ auth }, email] = [device(), address('ann')]
    assert.deepEqual(good(await auth.emailOtp.sendVerificationOtp({ email, type: 'sign-in' })), { success: true })
    const otp = await codeTo(email)
    refused(await auth.signIn.emailOtp({ email, otp: other(otp) }), 400, 'INVALID_OTP')
    const { token, user } = good(await auth.signIn.emailOtp({ email, otp }))
    assert.deepEqual([user.email, user.emailVerified], [email, true])
    assert.equal(good(await auth.getSession()).session.token, token)
    assert.ok((await device().auth.signIn.emailOtp({ email, otp })).error)
  },

  'verifies an address': async () => {
    const { auth, email } = await person('Bea')
    good(await auth.emailOtp.sendVerificationOtp({ email, type: 'email-verification' }))
    const otp = await codeTo(email)
    assert.equal(good(await auth.emailOtp.checkVerificationOtp({ email, type: 'email-verification', otp })).success, true)
    const { status, user } = good(await auth.emailOtp.verifyEmail({ email, otp }))
    assert.deepEqual([status, user.emailVerified], [true, true])
  },

  'changes an address by a code to the new one': async () => {
    const [{ auth }, newEmail] = [await person('Bob'), address('bob.next')]
    assert.deepEqual(good(await auth.emailOtp.requestEmailChange({ newEmail })), { success: true })
    const otp = await codeTo(newEmail)
    refused(await auth.emailOtp.changeEmail({ newEmail, otp: other(otp) }), 400, 'INVALID_OTP')
    assert.deepEqual(good(await auth.emailOtp.changeEmail({ newEmail, otp })), { success: true })
    assert.equal(good(await auth.getSession({ query: { disableCookieCache: true } })).user.email, newEmail)
  },

  'gives up after three wrong answers': async () => {
    const { auth, email } = await person('Cy')
    good(await auth.emailOtp.sendVerificationOtp({ email, type: 'sign-in' }))
    const otp = await codeTo(email)
    for (let tries = 0; tries < 3; tries += 1) refused(await auth.signIn.emailOtp({ email, otp: other(otp) }), 400, 'INVALID_OTP')
    assert.ok((await auth.signIn.emailOtp({ email, otp })).error)
  },

  'resets a password': async () => {
    const one = await person('Dot')
    const { email } = one
    const { auth, raw } = device()
    assert.deepEqual(good(await auth.emailOtp.requestPasswordReset({ email })), { success: true })
    const otp = await codeTo(email)
    const password = 'another good password'
    assert.deepEqual(good(await auth.emailOtp.resetPassword({ email, otp, password })), { success: true })
    await again(one, password)
    assert.deepEqual((await raw('POST', '/forget-password/email-otp', { email })).body, { success: true })
    assert.deepEqual((await raw('POST', '/forget-password/email-otp', { email: address('nobody') })).body, { success: true })
  },
}
