// Phone numbers: codes by text message, passwords.

import assert from 'node:assert/strict'
import { again, codeTo, device, good, password, peer, person, phone, refused } from '../support.mjs'

// Somebody with a number and a password.
const withNumber = async (name) => {
  const [one, phoneNumber] = [await person(name), phone()]
  good(await one.auth.phoneNumber.sendOtp({ phoneNumber }))
  const { user } = good(await one.auth.phoneNumber.verify({ phoneNumber, code: await codeTo(phoneNumber), updatePhoneNumber: true }))
  assert.deepEqual([user.phoneNumber, user.phoneNumberVerified], [phoneNumber, true])
  return { ...one, phoneNumber }
}

export default {
  'signs up by a code': async () => {
    const [{ auth }, phoneNumber] = [device(), phone()]
    good(await auth.phoneNumber.sendOtp({ phoneNumber }))
    const code = await codeTo(phoneNumber)
    refused(await auth.phoneNumber.verify({ phoneNumber, code: code === '000000' ? '000001' : '000000' }), 400, 'INVALID_OTP')
    const { status, token, user } = good(await auth.phoneNumber.verify({ phoneNumber, code }))
    assert.deepEqual([status, user.phoneNumber], [true, phoneNumber])
    assert.equal(good(await auth.getSession()).session.token, token)
    assert.ok((await device().auth.phoneNumber.verify({ phoneNumber, code })).error)
  },

  'belongs to somebody who is signed in': async () => {
    const { auth, phoneNumber } = await withNumber('Ann')
    assert.equal(good(await auth.getSession()).user.phoneNumber, phoneNumber)
    const other = await person('Bea')
    good(await other.auth.phoneNumber.sendOtp({ phoneNumber }))
    const taken = await other.auth.phoneNumber.verify({ phoneNumber, code: await codeTo(phoneNumber, 2), updatePhoneNumber: true })
    refused(taken, 400, 'PHONE_NUMBER_EXIST')
  },

  'signs in with a password': async () => {
    const { phoneNumber, user } = await withNumber('Cy')
    const { auth } = device()
    assert.equal(good(await auth.signIn.phoneNumber({ phoneNumber, password })).user.id, user.id)
    const wrong = await device().auth.signIn.phoneNumber({ phoneNumber, password: 'wrong password' })
    refused(wrong, 401, 'INVALID_PHONE_NUMBER_OR_PASSWORD')
    const stranger = await device().auth.signIn.phoneNumber({ phoneNumber: phone(), password })
    refused(stranger, 401, 'INVALID_PHONE_NUMBER_OR_PASSWORD')
  },

  'resets a password': async () => {
    const one = await withNumber('Dot')
    const { phoneNumber } = one
    const { auth, raw } = device()
    assert.deepEqual(good(await auth.phoneNumber.requestPasswordReset({ phoneNumber })), { status: true })
    const otp = await codeTo(phoneNumber, 2)
    const newPassword = 'another good password'
    assert.deepEqual(good(await auth.phoneNumber.resetPassword({ phoneNumber, otp, newPassword })), { status: true })
    good(await auth.signIn.phoneNumber({ phoneNumber, password: newPassword }))
    await again(one, newPassword)
    if (!peer) assert.equal((await raw('POST', '/phone-number/forget-password', { phoneNumber })).status, 200)
  },
}
