// People without a name, and what becomes of them.

import assert from 'node:assert/strict'
import { address, device, good, password, person, refused } from '../support.mjs'

export default {
  'signs somebody in who says nothing': async () => {
    const { auth } = device()
    const { token, user } = good(await auth.signIn.anonymous())
    const session = good(await auth.getSession())
    assert.equal(session.session.token, token)
    assert.equal(session.user.id, user.id)
    assert.equal(session.user.isAnonymous, true)
    refused(await auth.signIn.anonymous(), 400, 'ANONYMOUS_USERS_CANNOT_SIGN_IN_AGAIN_ANONYMOUSLY')
  },

  'goes over to the account that is made then': async () => {
    const { auth } = device()
    const { user: nameless } = good(await auth.signIn.anonymous())
    const { user } = good(await auth.signUp.email({ email: address('ann'), password, name: 'Ann' }))
    assert.notEqual(user.id, nameless.id)
    assert.equal(good(await auth.getSession()).user.isAnonymous, false)
  },

  'ends when it wants to': async () => {
    const { auth } = device()
    good(await auth.signIn.anonymous())
    assert.equal(good(await auth.deleteAnonymousUser()).success, true)
    assert.equal(good(await auth.getSession()), null)
    refused(await (await person('Bea')).auth.deleteAnonymousUser(), 403, 'USER_IS_NOT_ANONYMOUS')
  },
}
