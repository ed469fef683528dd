// Drives the official client through what an application does with it, and checks what it gets.
// EVIDENT_URL is the server, EVIDENT_SERVICE_ROLE_KEY an administrator's token.

import assert from 'node:assert/strict'
import { randomUUID, webcrypto } from 'node:crypto'
import { AuthAdminApi, AuthClient, isAuthApiError, isAuthSessionMissingError, isAuthWeakPasswordError } from '@supabase/auth-js'

// Node 18 keeps it in a module; browsers and newer versions have it at hand.
globalThis.crypto ??= webcrypto

const url = process.env.EVIDENT_URL
const key = process.env.EVIDENT_SERVICE_ROLE_KEY
const password = 'correct horse battery'

// What the client asks the server, so that a test can say what must not be asked.
let asked = []
const fetch = (input, init) => {
  asked.push(`${init?.method ?? 'GET'} ${new URL(input).pathname}`)
  return globalThis.fetch(input, init)
}

// A device of its own: its session lies in its own memory.
const device = (options = {}) => {
  const memory = new Map()
  const storage = {
    getItem: (name) => memory.get(name) ?? null,
    setItem: (name, value) => void memory.set(name, value),
    removeItem: (name) => void memory.delete(name),
  }
  return new AuthClient({ url, fetch, storage, autoRefreshToken: false, persistSession: true, ...options })
}

// As supabase-js does it: below /auth/v1, with the key on every call.
const admin = new AuthAdminApi({
  url: `${url}/auth/v1`,
  headers: { apikey: key, Authorization: `Bearer ${key}` },
  fetch,
})

const good = ({ data, error }) => {
  assert.equal(error, null)
  return data
}

const refused = ({ error }, status, code, message) => {
  assert.ok(error, `nothing was refused, ${status} ${code} was expected`)
  assert.ok(isAuthApiError(error) || isAuthWeakPasswordError(error), `${error.name}: ${error.message}`)
  assert.equal(error.status, status, error.message)
  assert.equal(error.code, code, error.message)
  if (message) assert.match(error.message, message)
}

const address = (name) => `${name}.${randomUUID()}@example.com`

const steps = {
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
    refused(await other.signInAnonymously(), 422, 'anonymous_provider_disabled', /Anonymous sign-ins are disabled/)
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
    const phone = `1555${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`
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
    asked = []
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

  async 'administers users'() {
    const email = address('gus')
    const attributes = { email, password, email_confirm: true, user_metadata: { a: 1 }, app_metadata: { plan: 'pro' } }
    const { user } = good(await admin.createUser(attributes))
    assert.equal(user.app_metadata.plan, 'pro')
    assert.ok(user.email_confirmed_at)
    const bare = good(await admin.createUser({ email: address('hal'), user_metadata: { team: 'blue' } }))
    assert.deepEqual(bare.user.user_metadata, { team: 'blue' })
    refused(await admin.createUser({ email }), 422, 'email_exists')

    const client = device()
    good(await client.signInWithPassword({ email, password }))
    assert.equal(good(await admin.getUserById(user.id)).user.email, email)
    const changed = good(await admin.updateUserById(user.id, { user_metadata: { b: 2 }, role: 'editor' }))
    assert.equal(changed.user.user_metadata.b, 2)
    assert.equal(changed.user.user_metadata.a, 1)
    assert.equal(changed.user.role, 'editor')

    const page = good(await admin.listUsers({ page: 1, perPage: 1 }))
    assert.equal(page.users.length, 1)
    assert.equal(page.aud, 'authenticated')
    assert.ok(page.total >= 2)
    assert.equal(page.nextPage, 2)
    const all = good(await admin.listUsers({ page: 1, perPage: 1000 }))
    assert.ok(all.users.some(({ id }) => id === user.id))
    assert.equal(all.nextPage, null)
    refused(await admin.listUsers({ page: -1, perPage: 1 }), 400, 'validation_failed')

    const banned = good(await admin.updateUserById(user.id, { ban_duration: '24h' }))
    assert.ok(new Date(banned.user.banned_until) > new Date())
    refused(await device().signInWithPassword({ email, password }), 400, 'user_banned')
    assert.ok((await client.getUser()).error)
    good(await admin.updateUserById(user.id, { ban_duration: 'none' }))
    good(await device().signInWithPassword({ email, password }))

    good(await admin.deleteUser(bare.user.id, true))
    assert.ok(good(await admin.getUserById(bare.user.id)).user.deleted_at)
    good(await admin.deleteUser(user.id))
    refused(await admin.getUserById(user.id), 404, 'user_not_found', /User not found/)
    refused(await admin.deleteUser(user.id), 404, 'user_not_found')
    await assert.rejects(admin.getUserById('no-uuid'))
    assert.equal((await client.signOut()).error, null, 'signing out after the account is gone is no error')
  },

  async 'ends a session for somebody'() {
    const client = device()
    const { session } = good(await client.signUp({ email: address('ida'), password }))
    assert.equal((await admin.signOut(session.access_token)).error, null)
    assert.ok(isAuthSessionMissingError((await client.getUser()).error))
  },

  async 'is refused where only administrators may go'() {
    const client = device()
    const { session } = good(await client.signUp({ email: address('jon'), password }))
    const pretender = new AuthAdminApi({ url, fetch, headers: { Authorization: `Bearer ${session.access_token}` } })
    refused(await pretender.listUsers(), 403, 'not_admin', /User not allowed/)
    const nobody = new AuthAdminApi({ url, fetch, headers: {} })
    refused(await nobody.listUsers(), 401, 'no_authorization', /Bearer token/)
  },
}

let failed = 0
for (const [name, step] of Object.entries(steps)) {
  try {
    await step()
    console.log(`ok   ${name}`)
  } catch (error) {
    failed += 1
    console.log(`FAIL ${name}`)
    console.error(error)
  }
}
console.log(`${Object.keys(steps).length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
