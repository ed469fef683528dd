// Sign-up, sign-in, sessions, the account.

import assert from 'node:assert/strict'
import { address, again, base, device, good, linkTo, origin, password, peer, person, refused } from '../support.mjs'

const page = `${origin}/welcome`

export default {
  'signs up, is somebody, signs out': async () => {
    const { auth, email, token, user } = await person('Ann')
    assert.equal(user.email, email)
    assert.equal(user.name, 'Ann')
    assert.equal(user.emailVerified, false)
    const { session, user: same } = good(await auth.getSession())
    assert.equal(session.token, token)
    assert.equal(session.userId, user.id)
    assert.equal(same.id, user.id)
    assert.equal(session.userAgent, 'Browser/1.0')
    assert.ok(session.expiresAt > new Date())
    assert.deepEqual(good(await auth.signOut()), { success: true })
    assert.equal(good(await auth.getSession()), null)
  },

  'takes an address once': async () => {
    const { email } = await person('Bea')
    const second = await device().auth.signUp.email({ email: email.toUpperCase(), password, name: 'Bea' })
    refused(second, 422, 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL')
  },

  'wants passwords and addresses that are some': async () => {
    const { auth } = device()
    refused(await auth.signUp.email({ email: address('cy'), password: 'short', name: 'Cy' }), 400, 'PASSWORD_TOO_SHORT')
    refused(await auth.signUp.email({ email: address('cy'), password: 'x'.repeat(129), name: 'Cy' }), 400, 'PASSWORD_TOO_LONG')
    refused(await auth.signIn.email({ email: 'nobody', password }), 400, 'INVALID_EMAIL')
  },

  'signs in, and does not tell who is known': async () => {
    const { email, user } = await person('Dot')
    const { auth } = device()
    const signedIn = good(await auth.signIn.email({ email, password, callbackURL: '/home' }))
    assert.equal(signedIn.user.id, user.id)
    assert.deepEqual([signedIn.redirect, signedIn.url], [true, '/home'])
    refused(await device().auth.signIn.email({ email, password: 'wrong password' }), 401, 'INVALID_EMAIL_OR_PASSWORD')
    const stranger = await device().auth.signIn.email({ email: address('nobody'), password })
    refused(stranger, 401, 'INVALID_EMAIL_OR_PASSWORD')
  },

  'forgets at the end of the browser': async () => {
    const { email } = await person('Eve')
    const { auth, browser } = device()
    good(await auth.signIn.email({ email, password, rememberMe: false }))
    assert.ok([...browser.cookies.keys()].some((name) => name.endsWith('dont_remember')))
    const { session } = good(await auth.getSession())
    assert.ok(session.expiresAt < new Date(Date.now() + 25 * 3600e3))
  },

  'moves the end of a session when it is asked to': async () => {
    const { auth, raw, user } = await person('Fay')
    assert.equal(good(await auth.getSession()).needsRefresh, false)
    const { status, body } = await raw('POST', '/get-session')
    assert.deepEqual([status, body.user.id], [200, user.id])
  },

  'keeps what the application declared with a session': async () => {
    const { auth } = await person('Fio')
    assert.equal(good(await auth.getSession()).session.theme, null)
    assert.equal(good(await auth.updateSession({ theme: 'dark' })).session.theme, 'dark')
    assert.equal(good(await auth.getSession()).session.theme, 'dark')
    const { error } = await auth.updateSession({ userId: 'x' })
    assert.deepEqual([error.status, error.message], [400, 'No fields to update'])
    refused(await device().auth.updateSession({ theme: 'dark' }), 401, 'UNAUTHORIZED')
  },

  'lists and ends sessions': async () => {
    const one = await person('Flo')
    const [two, three] = [await again(one), await again(one)]
    const tokens = async () => good(await one.auth.listSessions()).map(({ token }) => token).sort()
    assert.deepEqual(await tokens(), [one.token, two.token, three.token].sort())
    assert.deepEqual(good(await one.auth.revokeSession({ token: two.token })), { status: true })
    assert.equal(good(await two.auth.getSession()), null)
    assert.deepEqual(good(await one.auth.revokeOtherSessions()), { status: true })
    assert.equal(good(await three.auth.getSession()), null)
    assert.deepEqual(await tokens(), [one.token])
    assert.deepEqual(good(await one.auth.revokeSessions()), { status: true })
    assert.equal(good(await one.auth.getSession()), null)
    refused(await device().auth.listSessions(), 401, 'UNAUTHORIZED')
  },

  'another person ends nothing': async () => {
    const [victim, other] = [await person('Gil'), await person('Mal')]
    good(await other.auth.revokeSession({ token: victim.token }))
    assert.equal(good(await victim.auth.getSession()).user.id, victim.user.id)
  },

  'changes name and picture': async () => {
    const { auth } = await person('Hal')
    assert.deepEqual(good(await auth.updateUser({ name: 'Harold', image: 'https://example.com/h.png' })), { status: true })
    const { user } = good(await auth.getSession())
    assert.deepEqual([user.name, user.image], ['Harold', 'https://example.com/h.png'])
  },

  'changes the password, and ends the other sessions': async () => {
    const one = await person('Ida')
    const two = await again(one)
    const next = 'another good password'
    const wrong = await one.auth.changePassword({ currentPassword: 'wrong password', newPassword: next })
    refused(wrong, 400, 'INVALID_PASSWORD')
    const changed = await one.auth.changePassword({ currentPassword: password, newPassword: next, revokeOtherSessions: true })
    const { token } = good(changed)
    assert.notEqual(token, one.token)
    assert.equal(good(await two.auth.getSession()), null)
    assert.equal(good(await one.auth.getSession()).session.token, token)
    refused(await device().auth.signIn.email({ email: one.email, password }), 401, 'INVALID_EMAIL_OR_PASSWORD')
    good(await device().auth.signIn.email({ email: one.email, password: next }))
  },

  'knows whether a password is the right one': async () => {
    const { auth } = await person('Jo')
    assert.deepEqual(good(await auth.verifyPassword({ password })), { status: true })
    refused(await auth.verifyPassword({ password: 'wrong password' }), 400, 'INVALID_PASSWORD')
  },

  'resets a forgotten password by mail': async () => {
    const { email } = await person('Jim')
    const { auth, browser, raw } = device()
    assert.equal(good(await auth.requestPasswordReset({ email, redirectTo: page })).status, true)
    const link = await linkTo(email)
    const answer = await browser.fetch(link)
    assert.equal(answer.status, 302)
    const back = new URL(answer.headers.get('location'))
    assert.equal(back.origin + back.pathname, page)
    const token = back.searchParams.get('token')
    refused(await auth.resetPassword({ newPassword: 'short', token }), 400, 'PASSWORD_TOO_SHORT')
    const next = 'another good password'
    assert.deepEqual(good(await auth.resetPassword({ newPassword: next, token })), { status: true })
    refused(await auth.resetPassword({ newPassword: next, token }), 400, 'INVALID_TOKEN')
    good(await device().auth.signIn.email({ email, password: next }))
    // The older name of the same thing, and strangers are answered alike.
    const known = await auth.requestPasswordReset({ email })
    const unknown = await auth.requestPasswordReset({ email: address('nobody') })
    assert.deepEqual(good(known), good(unknown))
    if (!peer) {
      const [one, two] = [await raw('POST', '/forget-password', { email }), await raw('POST', '/forget-password', { email: address('nobody') })]
      assert.deepEqual([one.status, one.body], [200, two.body])
    }
    const elsewhere = await auth.requestPasswordReset({ email, redirectTo: 'https://evil.example/' })
    refused(elsewhere, 403, 'INVALID_REDIRECT_URL')
  },

  'verifies an address by mail': async () => {
    const one = await person('Kim')
    assert.deepEqual(good(await one.auth.sendVerificationEmail({ email: one.email, callbackURL: page })), { status: true })
    const answer = await one.browser.fetch(await linkTo(one.email))
    assert.equal(answer.status, 302)
    assert.equal(answer.headers.get('location'), page)
    assert.equal(good(await one.auth.getSession()).user.emailVerified, true)
    const two = await person('Kit')
    good(await two.auth.sendVerificationEmail({ email: two.email }))
    const { searchParams } = await linkTo(two.email)
    assert.equal(good(await two.auth.verifyEmail({ query: { token: searchParams.get('token') } })).status, true)
    const broken = await one.auth.verifyEmail({ query: { token: 'no token' } })
    refused(broken, 401, 'INVALID_TOKEN')
  },

  'changes an address that is verified, with a mail to the old one': async () => {
    const one = await person('Lou')
    good(await one.auth.sendVerificationEmail({ email: one.email }))
    await one.browser.fetch(await linkTo(one.email))
    const next = address('lou.next')
    assert.equal(good(await one.auth.changeEmail({ newEmail: next, callbackURL: page })).status, true)
    assert.equal((await one.browser.fetch(await linkTo(one.email, 2))).status, 302)
    assert.equal((await one.browser.fetch(await linkTo(next))).status, 302)
    assert.equal(good(await one.auth.getSession({ query: { disableCookieCache: true } })).user.email, next)
    refused(await one.auth.changeEmail({ newEmail: 'nothing' }), 400, 'VALIDATION_ERROR')
  },

  'deletes an account': async () => {
    const one = await person('Max')
    refused(await one.auth.deleteUser({ password: 'wrong password' }), 400, 'INVALID_PASSWORD')
    assert.equal(good(await one.auth.deleteUser({ password })).message, 'Verification email sent')
    const token = (await linkTo(one.email)).searchParams.get('token')
    const other = await person('Moe')
    refused(await other.auth.deleteUser.callback({ query: { token } }), 404, 'INVALID_TOKEN')
    assert.equal(good(await one.auth.deleteUser.callback({ query: { token } })).message, 'User deleted')
    assert.equal(good(await one.auth.getSession()), null)
    refused(await device().auth.signIn.email({ email: one.email, password }), 401, 'INVALID_EMAIL_OR_PASSWORD')
  },

  'lists the ways in': async () => {
    const { auth, user } = await person('Nan')
    const [account, ...others] = good(await auth.listAccounts())
    assert.equal(others.length, 0)
    assert.deepEqual([account.providerId, account.accountId, account.scopes], ['credential', user.id, []])
    refused(await auth.unlinkAccount({ providerId: 'credential', accountId: account.id }), 400, 'FAILED_TO_UNLINK_LAST_ACCOUNT')
  },

  'goes to other providers': async () => {
    const signIn = await device().auth.signIn.social({ provider: 'gitlab', callbackURL: page, disableRedirect: true })
    const { url: there, redirect } = good(signIn)
    assert.equal(redirect, false)
    const target = new URL(there)
    assert.equal(target.searchParams.get('response_type'), 'code')
    assert.equal(target.searchParams.get('redirect_uri'), `${origin}/api/auth/callback/gitlab`)
    assert.ok(target.searchParams.get('state'))
    const { auth, raw } = await person('Ola')
    const link = good(await auth.linkSocial({ provider: 'gitlab', callbackURL: page, disableRedirect: true }))
    assert.ok(new URL(link.url).searchParams.get('state'))
    refused(await auth.linkSocial({ provider: 'nobody', callbackURL: page }), 404, 'PROVIDER_NOT_FOUND')
    refused(await device().auth.signIn.social({ provider: 'nobody' }), 404, 'PROVIDER_NOT_FOUND')
    refused(await auth.getAccessToken({ accountId: 'nothing' }), 400, 'ACCOUNT_NOT_FOUND')
    refused(await auth.refreshToken({ accountId: 'nothing' }), 400, 'ACCOUNT_NOT_FOUND')
    refused(await auth.accountInfo({ query: { accountId: 'nothing' } }), 400, 'ACCOUNT_NOT_FOUND')
    if (!peer) assert.equal((await raw('POST', '/account-info', { accountId: 'nothing' })).status, 400)
  },

  'comes back from another provider': async () => {
    const one = device()
    const back = async (there) => {
      const state = new URL(there).searchParams.get('state')
      const answer = await one.browser.fetch(`${base}/callback/gitlab?code=the-code&state=${encodeURIComponent(state)}`)
      assert.equal(answer.status, 302)
      assert.equal(answer.headers.get('location'), page)
    }
    await back(good(await one.auth.signIn.social({ provider: 'gitlab', callbackURL: page, disableRedirect: true })).url)
    const { user } = good(await one.auth.getSession())
    assert.deepEqual([user.email, user.name], ['igor@example.com', 'Igor'])
    const [account] = good(await one.auth.listAccounts())
    assert.deepEqual([account.providerId, account.accountId], ['gitlab', '1'])
    const selected = { accountId: account.id }
    assert.equal(good(await one.auth.getAccessToken(selected)).accessToken, 'token-of-1')
    assert.equal(good(await one.auth.refreshToken(selected)).accessToken, 'token-of-1')
    assert.equal(good(await one.auth.accountInfo({ query: selected })).user.name, 'Igor')
    if (!peer) assert.equal((await one.raw('POST', '/account-info', selected)).body.user.name, 'Igor')
    const chosen = { providerId: 'gitlab', accountId: account.id }
    refused(await one.auth.unlinkAccount(chosen), 400, 'FAILED_TO_UNLINK_LAST_ACCOUNT')
    // With a password there is another way in.
    good(await one.auth.requestPasswordReset({ email: user.email, redirectTo: page }))
    const link = await linkTo(user.email)
    const answer = await one.browser.fetch(link)
    const token = new URL(answer.headers.get('location')).searchParams.get('token')
    good(await one.auth.resetPassword({ newPassword: password, token }))
    const two = await again({ email: user.email })
    assert.deepEqual(good(await two.auth.unlinkAccount(chosen)), { status: true })
    assert.deepEqual(good(await two.auth.listAccounts()).map(({ providerId }) => providerId), ['credential'])
  },

  'is there, and has a page for errors': async () => {
    const { raw, browser } = device()
    const { status, body } = await raw('GET', '/ok')
    assert.deepEqual([status, body.ok], [200, true])
    const page = await browser.fetch(`${base}/error?error=state_not_found`)
    assert.equal(page.status, 200)
    assert.match(page.headers.get('content-type'), /text\/html/)
    assert.equal((await browser.fetch(`${base}/nothing-here`)).status, 404)
  },

  'minds where requests come from': async () => {
    const { browser } = await person('Pat')
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const from = (origin) =>
      fetch(`${base}/update-user`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie, ...(origin && { origin }) },
        body: '{"name":"X"}',
      })
    assert.deepEqual([(await from('https://evil.example')).status, (await from()).status, (await from(origin)).status], [403, 403, 200])
  },
}
