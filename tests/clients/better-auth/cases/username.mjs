// Names to sign in with.

import assert from 'node:assert/strict'
import { address, device, good, password, refused, word } from '../support.mjs'

export default {
  'signs in by name, in any letter case': async () => {
    const [email, username] = [address('ann'), word('Ann')]
    const { user } = good(await device().auth.signUp.email({ email, password, name: 'Ann', username }))
    assert.deepEqual([user.username, user.displayUsername], [username.toLowerCase(), username])
    const { auth } = device()
    const signedIn = good(await auth.signIn.username({ username: username.toUpperCase(), password }))
    assert.equal(signedIn.user.id, user.id)
    assert.equal(good(await auth.getSession()).user.username, username.toLowerCase())
    refused(await device().auth.signIn.username({ username, password: 'wrong password' }), 401, 'INVALID_USERNAME_OR_PASSWORD')
    refused(await device().auth.signIn.username({ username: word('nobody'), password }), 401, 'INVALID_USERNAME_OR_PASSWORD')
  },

  'gives a name once': async () => {
    const username = word('bea')
    const one = device()
    assert.equal(good(await one.auth.isUsernameAvailable({ username })).available, true)
    good(await one.auth.signUp.email({ email: address('bea'), password, name: 'Bea', username }))
    assert.equal(good(await one.auth.isUsernameAvailable({ username })).available, false)
    const second = await device().auth.signUp.email({ email: address('bea'), password, name: 'Bea', username })
    refused(second, 400, 'USERNAME_IS_ALREADY_TAKEN')
    const other = word('cy')
    good(await one.auth.updateUser({ username: other }))
    assert.equal(good(await one.auth.getSession()).user.username, other)
    assert.equal(good(await one.auth.isUsernameAvailable({ username })).available, true)
  },

  'wants names that are some': async () => {
    const { auth } = device()
    const named = (username) => auth.signUp.email({ email: address('dot'), password, name: 'Dot', username })
    refused(await named('ab'), 400, 'USERNAME_TOO_SHORT')
    refused(await named('x'.repeat(31)), 400, 'USERNAME_TOO_LONG')
    refused(await named('not good!'), 400, 'INVALID_USERNAME')
  },
}
