// The second factor: codes of an app, codes by mail, backup codes, trusted devices.

import assert from 'node:assert/strict'
import { again, codeTo, device, good, password, person, refused, totp } from '../support.mjs'

const enabled = async (name) => {
  const one = await person(name)
  const { totpURI, backupCodes } = good(await one.auth.twoFactor.enable({ password }))
  good(await one.auth.twoFactor.verifyTotp({ code: totp(totpURI) }))
  return { ...one, totpURI, backupCodes }
}

// Signs in up to the second factor.
const halfway = async ({ email }) => {
  const other = device()
  const answer = good(await other.auth.signIn.email({ email, password }))
  assert.equal(answer.twoFactorRedirect, true)
  assert.equal(good(await other.auth.getSession()), null)
  return { ...other, answer }
}

export default {
  'is switched on by a code of the app': async () => {
    const { auth } = await person('Ann')
    refused(await auth.twoFactor.enable({ password: 'wrong password' }), 400, 'INVALID_PASSWORD')
    const { totpURI, backupCodes } = good(await auth.twoFactor.enable({ password }))
    assert.match(totpURI, /^otpauth:\/\/totp\//)
    assert.equal(backupCodes.length, 10)
    assert.match(backupCodes[0], /^[A-Za-z0-9]{5}-[A-Za-z0-9]{5}$/)
    refused(await auth.twoFactor.verifyTotp({ code: '000000' }), 401, 'INVALID_CODE')
    good(await auth.twoFactor.verifyTotp({ code: totp(totpURI) }))
    assert.equal(good(await auth.getSession()).user.twoFactorEnabled, true)
    const secret = (uri) => new URL(uri).searchParams.get('secret')
    assert.equal(secret(good(await auth.twoFactor.getTotpUri({ password })).totpURI), secret(totpURI))
  },

  'asks for a code of the app at the next sign-in': async () => {
    const one = await enabled('Bea')
    const other = await halfway(one)
    assert.ok(other.answer.twoFactorMethods.includes('totp'))
    refused(await other.auth.twoFactor.verifyTotp({ code: '000000' }), 401, 'INVALID_CODE')
    const { token, user } = good(await other.auth.twoFactor.verifyTotp({ code: totp(one.totpURI, 1) }))
    assert.equal(user.id, one.user.id)
    assert.equal(good(await other.auth.getSession()).session.token, token)
  },

  'takes a code that was sent': async () => {
    const one = await enabled('Cy')
    const other = await halfway(one)
    assert.deepEqual(good(await other.auth.twoFactor.sendOtp()), { status: true })
    const code = await codeTo(one.email)
    refused(await other.auth.twoFactor.verifyOtp({ code: code === '000000' ? '000001' : '000000' }), 401, 'INVALID_CODE')
    good(await other.auth.twoFactor.verifyOtp({ code }))
    assert.equal(good(await other.auth.getSession()).user.id, one.user.id)
  },

  'takes a backup code once': async () => {
    const one = await enabled('Dot')
    const [code] = one.backupCodes
    const other = await halfway(one)
    good(await other.auth.twoFactor.verifyBackupCode({ code }))
    assert.equal(good(await other.auth.getSession()).user.id, one.user.id)
    const third = await halfway(one)
    refused(await third.auth.twoFactor.verifyBackupCode({ code }), 401, 'INVALID_BACKUP_CODE')
    const { backupCodes } = good(await one.auth.twoFactor.generateBackupCodes({ password }))
    refused(await third.auth.twoFactor.verifyBackupCode({ code: one.backupCodes[1] }), 401, 'INVALID_BACKUP_CODE')
    good(await third.auth.twoFactor.verifyBackupCode({ code: backupCodes[0] }))
  },

  'trusts a device that it is told to': async () => {
    const one = await enabled('Eve')
    const other = await halfway(one)
    good(await other.auth.twoFactor.verifyTotp({ code: totp(one.totpURI, 1), trustDevice: true }))
    good(await other.auth.signOut())
    const back = good(await other.auth.signIn.email({ email: one.email, password }))
    assert.equal(back.user.id, one.user.id)
    await halfway(one)
  },

  'is switched off with the password': async () => {
    const one = await enabled('Flo')
    refused(await one.auth.twoFactor.disable({ password: 'wrong password' }), 400, 'INVALID_PASSWORD')
    assert.deepEqual(good(await one.auth.twoFactor.disable({ password })), { status: true })
    assert.equal((await again(one)).user.id, one.user.id)
    assert.equal(good(await one.auth.getSession()).user.twoFactorEnabled, false)
  },

  'asks nobody who has not begun to sign in': async () => {
    const { auth } = device()
    refused(await auth.twoFactor.verifyTotp({ code: '123456' }), 401, 'INVALID_TWO_FACTOR_COOKIE')
    refused(await auth.twoFactor.sendOtp(), 401, 'INVALID_TWO_FACTOR_COOKIE')
    refused(await auth.twoFactor.verifyBackupCode({ code: 'x' }), 401, 'INVALID_TWO_FACTOR_COOKIE')
  },
}
