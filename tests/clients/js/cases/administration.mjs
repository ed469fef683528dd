// What an application's administrators do with its people.

import assert from 'node:assert/strict'
import { AuthAdminApi, isAuthSessionMissingError } from '@supabase/auth-js'
import { address, admin, device, fetch, good, linkOf, mailTo, needing, password, refused, url } from '../support.mjs'

export default {
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

  'invites somebody': needing(['POST /invite'], async () => {
    const email = address('lea')
    const { user } = good(await admin.inviteUserByEmail(email, { data: { team: 'blue' } }))
    assert.ok(user.invited_at)
    const client = device()
    const token = linkOf(await mailTo(email)).searchParams.get('token')
    const { session } = good(await client.verifyOtp({ type: 'invite', token_hash: token }))
    assert.equal(session.user.id, user.id)
    assert.equal(session.user.user_metadata.team, 'blue')
  }),

  'makes links of every kind': needing(['POST /admin/generate_link'], async () => {
    const email = address('max')
    const redirectTo = 'http://localhost:3000/welcome'
    const made = async (wanted) => good(await admin.generateLink({ ...wanted, options: { redirectTo, ...wanted.options } }))
    const up = await made({ type: 'signup', email, password, options: { data: { status: 'alpha' } } })
    assert.equal(up.user.email, email)
    assert.equal(up.user.user_metadata.status, 'alpha')
    assert.equal(up.properties.verification_type, 'signup')
    assert.equal(up.properties.redirect_to, redirectTo)
    assert.match(up.properties.action_link, /\?token=.*type=signup.*redirect_to=/)
    assert.match(up.properties.email_otp, /^[0-9]{6}$/)
    good(await device().verifyOtp({ type: 'signup', token_hash: up.properties.hashed_token }))
    for (const type of ['magiclink', 'recovery']) {
      const { properties } = await made({ type, email })
      good(await device().verifyOtp({ type, token_hash: properties.hashed_token }))
      refused(await device().verifyOtp({ type, token_hash: properties.hashed_token }), 403, 'otp_expired')
    }
    const newEmail = address('new')
    const current = await made({ type: 'email_change_current', email, newEmail })
    assert.equal(current.user.new_email, newEmail)
    await made({ type: 'email_change_new', email, newEmail })
    const invited = address('nia')
    const invitation = await made({ type: 'invite', email: invited })
    assert.equal(invitation.properties.verification_type, 'invite')
    refused(await admin.generateLink({ type: 'recovery', email: address('nobody') }), 404, 'user_not_found')
  }),
}
