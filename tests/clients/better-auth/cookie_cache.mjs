// What stands before an application reads the copy of the session that browsers bring, as Better Auth's own
// middleware does. EVIDENT_SECRET is what the server signs with.

import assert from 'node:assert/strict'
import { getCookieCache } from 'better-auth/cookies'
import { good, person } from './support.mjs'

const secret = process.env.EVIDENT_SECRET
const one = await person('Ann')
const read = async (cookies, more = {}) => {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return getCookieCache(new Headers({ cookie }), { secret, isSecure: false, ...more })
}

const copy = await read(one.browser.cookies)
assert.equal(copy.user.email, one.email)
assert.equal(copy.session.token, one.token)
assert.equal(copy.version, '7')
assert.ok(await read(one.browser.cookies, { version: '7' }))
assert.equal(await read(one.browser.cookies, { version: '8' }), null)
assert.equal(await read(one.browser.cookies, { secret: 'another secret that is as long as it' }), null)

// It follows what changes, and it is no way in.
good(await one.auth.updateUser({ name: 'Änne "A." </script>' }))
assert.equal((await read(one.browser.cookies)).user.name, 'Änne "A." </script>')
const name = [...one.browser.cookies.keys()].find((name) => name.endsWith('session_data'))
const kept = one.browser.cookies.get(name)
good(await one.auth.revokeSessions())
one.browser.cookies.set(name, kept)
assert.equal(good(await one.auth.getSession()), null)
assert.equal(one.browser.cookies.has(name), false)
