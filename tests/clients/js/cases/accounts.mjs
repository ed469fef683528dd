// Accounts by password: up, in, refreshed, changed, out.

import assert from 'node:assert/strict'
import { isAuthSessionMissingError } from '@supabase/auth-js'
import { address, asked, device, fetch, forget, good, password, phoneNumber, refused, url } from '../support.mjs'

export default {
  async 'signs up and reads the user'() {
    const client = device()
    const email = address('Ada')
    const events = []
    client.onAuthStateChange((event) => void events.push(event))
    const { user, session } = good(await client.signUp({ email, password, options: { data: { full_name: 'Ada' } } }))
    for (const field of ['id', 'email', 'aud', 'created_at', 'updated_at', 'last_sign_in_at', 'email_confirmed_at']) {
      assert.equal(typeof user[field], 'string', field)
    }
    assert.equal(user.phone, '')
    assert.equal(user.email, email.toLowerCase())
    assert.equal(user.app_metadata.provider, 'email')
    assert.equal(user.user_metadata.full_name, 'Ada')
    assert.equal(session.token_type, 'bearer')
    assert.ok(session.expires_at > Date.now() / 1000)
    assert.equal(good(await client.getUser()).user.id, user.id)
    assert.equal(good(await client.getSession()).session.access_token, session.access_token)
    assert.ok(events.includes('SIGNED_IN'), events.join())
  },

  async 'is refused what it may not have, with status and code'() {
    const client = device()
    const email = address('bea')
    good(await client.signUp({ email, password }))
    const other = device()
    refused(await other.signUp({ email, password }), 422, 'user_already_exists', /^User already registered/)
    refused(await other.signUp({ email: 'no address', password }), 400, 'validation_failed', /invalid format/)
    const weak = await other.signUp({ email: address('weak'), password: 'abc' })
    refused(weak, 422, 'weak_password', /Password should be at least 6 characters/)
    assert.deepEqual(weak.error.reasons, ['length'])
    const wrong = await other.signInWithPassword({ email, password: 'wrong password' })
    refused(wrong, 400, 'invalid_credentials', /^Invalid login credentials$/)
    const unknown = await other.signInWithPassword({ email: address('nobody'), password })
    refused(unknown, 400, 'invalid_credentials')
    refused(await other.getUser('not-a-token'), 403, 'bad_jwt', /^invalid JWT/)
    const refresh = await other.refreshSession({ refresh_token: 'aaaaaaaaaaaa' })
    refused(refresh, 400, 'refresh_token_not_found', /^Invalid Refresh Token/)
    refused(await client.updateUser({ password }), 422, 'same_password')
  },

  async 'signs in, refreshes and keeps its session'() {
    const email = address('cid')
    good(await device().signUp({ email, password }))
    const client = device()
    const { user, session } = good(await client.signInWithPassword({ email, password }))
    const refreshed = good(await client.refreshSession())
    assert.equal(refreshed.user.id, user.id)
    assert.notEqual(refreshed.session.refresh_token, session.refresh_token)
    good(await client.getUser())
    const restored = device()
    good(await restored.setSession(refreshed.session))
    assert.equal(good(await restored.getUser()).user.id, user.id)
    // Both tabs at once: whoever comes second gets the same tokens.
    const [one, two] = await Promise.all(
      [device(), device()].map((tab) => tab.refreshSession({ refresh_token: refreshed.session.refresh_token })),
    )
    assert.equal(good(one).session.refresh_token, good(two).session.refresh_token)
  },

  async 'signs up and in by phone'() {
    const phone = phoneNumber()
    const { data, error } = await device().signUp({ phone, password })
    if (error) throw error
    assert.equal(data.user.phone, phone)
    assert.equal(data.user.email, '')
  },

  async 'changes data and password'() {
    const client = device()
    const email = address('dan')
    good(await client.signUp({ email, password, options: { data: { a: 1 } } }))
    const elsewhere = device()
    good(await elsewhere.signInWithPassword({ email, password }))
    const { user } = good(await client.updateUser({ data: { a: null, hello: 'world' } }))
    assert.equal(user.user_metadata.hello, 'world')
    assert.equal(user.user_metadata.a, undefined)
    good(await client.updateUser({ password: 'another good one' }))
    good(await client.getUser())
    const gone = await elsewhere.getUser()
    assert.ok(isAuthSessionMissingError(gone.error), String(gone.error))
    refused(await elsewhere.signInWithPassword({ email, password }), 400, 'invalid_credentials')
    good(await elsewhere.signInWithPassword({ email, password: 'another good one' }))
  },

  async 'checks the claims'() {
    const client = device()
    const { user } = good(await client.signUp({ email: address('eva'), password }))
    forget()
    const { claims, header } = good(await client.getClaims())
    assert.equal(claims.sub, user.id)
    assert.equal(claims.role, 'authenticated')
    assert.equal(claims.aal, 'aal1')
    assert.deepEqual(claims.amr.map(({ method }) => method), ['password'])
    const path = header.alg === 'HS256' ? 'GET /user' : 'GET /.well-known/jwks.json'
    assert.deepEqual(asked, [path], 'asymmetric tokens are checked without asking for the user')
  },

  async 'signs out here, elsewhere and everywhere'() {
    const email = address('fay')
    const devices = [device(), device(), device()]
    good(await devices[0].signUp({ email, password }))
    for (const other of devices.slice(1)) good(await other.signInWithPassword({ email, password }))
    const tokens = []
    for (const each of devices) tokens.push(good(await each.getSession()).session.access_token)
    const alive = async () => Promise.all(tokens.map(async (token) => !(await device().getUser(token)).error))
    assert.equal((await devices[2].signOut({ scope: 'local' })).error, null)
    assert.deepEqual(await alive(), [true, true, false])
    assert.equal((await devices[0].signOut({ scope: 'others' })).error, null)
    assert.deepEqual(await alive(), [true, false, false])
    assert.equal((await devices[0].signOut()).error, null)
    assert.deepEqual(await alive(), [false, false, false])
    assert.equal(good(await devices[0].getSession()).session, null)
    assert.equal((await devices[1].signOut()).error, null, 'a session that is gone already is no error')
  },

  async 'signs in without a name, where that is on'() {
    const { external } = await (await fetch(`${url}/settings`)).json()
    const client = device()
    const answer = await client.signInAnonymously({ options: { data: { guest: 'yes' } } })
    if (!external.anonymous_users) {
      refused(answer, 422, 'anonymous_provider_disabled', /Anonymous sign-ins are disabled/)
      return
    }
    assert.equal(good(answer).user.is_anonymous, true)
    assert.equal(answer.data.user.user_metadata.guest, 'yes')
    refused(await client.updateUser({ password: 'a password of nobody' }), 422, 'validation_failed')
  },

  async 'asks for new tokens by itself, and stops'() {
    const client = device()
    await client.initialize()
    assert.equal(client.isThrowOnErrorEnabled(), false)
    good(await client.signUp({ email: address('kim'), password }))
    await client.startAutoRefresh()
    await client.stopAutoRefresh()
    await client.dispose()
  },
}
