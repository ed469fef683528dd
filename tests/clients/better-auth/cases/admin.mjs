// Administration.

import assert from 'node:assert/strict'
import { address, administrator, again, device, good, password, person, refused } from '../support.mjs'

export default {
  'makes, finds, changes and removes people': async () => {
    const { auth } = await administrator()
    const email = address('ann')
    const { user } = good(await auth.admin.createUser({ email, password, name: 'Ann', role: 'user' }))
    assert.deepEqual([user.email, user.role], [email, 'user'])
    const found = good(await auth.admin.listUsers({ query: { searchField: 'email', searchValue: email, searchOperator: 'contains' } }))
    assert.deepEqual([found.total, found.users[0].id], [1, user.id])
    assert.equal(good(await auth.admin.getUser({ query: { id: user.id } })).id, user.id)
    assert.equal(good(await auth.admin.setRole({ userId: user.id, role: 'admin' })).user.role, 'admin')
    assert.equal(good(await auth.admin.updateUser({ userId: user.id, data: { name: 'Anna' } })).name, 'Anna')
    const next = 'another good password'
    const one = await again({ email })
    assert.deepEqual(good(await auth.admin.setUserPassword({ userId: user.id, newPassword: next })), { status: true })
    await again({ email }, next)
    assert.equal(one.user.id, user.id)
    assert.equal(good(await auth.admin.removeUser({ userId: user.id })).success, true)
    refused(await device().auth.signIn.email({ email, password: next }), 401, 'INVALID_EMAIL_OR_PASSWORD')
  },

  'lists in order, by pages': async () => {
    const { auth } = await administrator()
    const mark = address('row').split('@')[0]
    for (const n of [2, 1, 3]) good(await auth.admin.createUser({ email: `${n}.${mark}@example.com`, password, name: `Row ${n}` }))
    const query = { searchField: 'email', searchValue: mark, sortBy: 'name', sortDirection: 'desc', limit: 2, offset: 1 }
    const { users, total } = good(await auth.admin.listUsers({ query }))
    assert.deepEqual([total, users.map(({ name }) => name)], [3, ['Row 2', 'Row 1']])
    const filter = { filterField: 'email', filterOperator: 'eq', filterValue: `3.${mark}@example.com` }
    assert.deepEqual(good(await auth.admin.listUsers({ query: filter })).users.map(({ name }) => name), ['Row 3'])
  },

  'bans and lets in again': async () => {
    const [{ auth }, one] = [await administrator(), await person('Bea')]
    const { user } = good(await auth.admin.banUser({ userId: one.user.id, banReason: 'noise', banExpiresIn: 3600 }))
    assert.deepEqual([user.banned, user.banReason], [true, 'noise'])
    assert.equal(good(await one.auth.getSession()), null)
    refused(await device().auth.signIn.email({ email: one.email, password }), 403, 'BANNED_USER')
    assert.equal(good(await auth.admin.unbanUser({ userId: one.user.id })).user.banned, false)
    await again(one)
  },

  'sees and ends sessions': async () => {
    const [{ auth }, one] = [await administrator(), await person('Cy')]
    const two = await again(one)
    const { sessions } = good(await auth.admin.listUserSessions({ userId: one.user.id }))
    assert.deepEqual(sessions.map(({ token }) => token).sort(), [one.token, two.token].sort())
    assert.equal(good(await auth.admin.revokeUserSession({ sessionToken: two.token })).success, true)
    assert.equal(good(await two.auth.getSession()), null)
    assert.equal(good(await auth.admin.revokeUserSessions({ userId: one.user.id })).success, true)
    assert.equal(good(await one.auth.getSession()), null)
  },

  'is somebody else for a while': async () => {
    const [one, other] = [await administrator(), await person('Dot')]
    const { session, user } = good(await one.auth.admin.impersonateUser({ userId: other.user.id }))
    assert.deepEqual([user.id, session.impersonatedBy], [other.user.id, one.user.id])
    assert.equal(good(await one.auth.getSession()).user.id, other.user.id)
    good(await one.auth.admin.stopImpersonating())
    assert.equal(good(await one.auth.getSession()).user.id, one.user.id)
    refused(await one.auth.admin.impersonateUser({ userId: (await administrator()).user.id }), 403, 'YOU_CANNOT_IMPERSONATE_ADMINS')
  },

  'says what one may': async () => {
    const [one, other] = [await administrator(), await person('Eve')]
    const permissions = { user: ['ban'] }
    assert.equal(good(await one.auth.admin.hasPermission({ permissions })).success, true)
    assert.equal(good(await other.auth.admin.hasPermission({ permissions })).success, false)
    assert.equal(one.auth.admin.checkRolePermission({ permissions, role: 'admin' }), true)
  },

  'is for administrators': async () => {
    const { auth, user } = await person('Flo')
    refused(await auth.admin.listUsers({ query: {} }), 403, 'YOU_ARE_NOT_ALLOWED_TO_LIST_USERS')
    refused(await auth.admin.banUser({ userId: user.id }), 403, 'YOU_ARE_NOT_ALLOWED_TO_BAN_USERS')
    refused(await auth.admin.setRole({ userId: user.id, role: 'admin' }), 403, 'YOU_ARE_NOT_ALLOWED_TO_CHANGE_USERS_ROLE')
    assert.equal((await device().auth.admin.listUsers({ query: {} })).error.status, 401)
  },
}
