// What stands before an application reads the copy of the session that browsers bring, as Better Auth's own
// middleware does. EVIDENT_SECRET is what the server signs with, EVIDENT_STRATEGY the form of the copy.

import assert from 'node:assert/strict'
import { getCookieCache } from 'better-auth/cookies'
import { good, person } from './support.mjs'

const secret = process.env.EVIDENT_SECRET
const strategy = process.env.EVIDENT_STRATEGY
const one = await person('Ann')
const read = async (cookies, more = {}) => {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return getCookieCache(new Headers({ cookie }), { secret, strategy, isSecure: false, ...more })
}

const copy = await read(one.browser.cookies)
assert.equal(copy.user.email, one.email)
assert.equal(copy.session.token, one.token)
assert.equal(copy.version, '7')
assert.ok(await read(one.browser.cookies, { version: '7' }))
assert.equal(await read(one.browser.cookies, { version: '8' }), null)
assert.equal(await read(one.browser.cookies, { secret: 'another secret that is as long as it' }), null)

// Whoever has no key reads the others.
const [, first] = [...one.browser.cookies].find(([name]) => name.endsWith('session_data'))
const readable = first.split('.').some((part) => Buffer.from(part, 'base64url').toString().includes(one.email))
assert.equal(readable, strategy !== 'jwe')

// What the application keeps with the session stands there, too.
good(await one.auth.updateSession({ theme: 'dark', size: 12.5 }))
const kept = await read(one.browser.cookies)
assert.deepEqual([kept.session.theme, kept.session.size], ['dark', 12.5])

// It follows what changes, and it is no way in.
good(await one.auth.updateUser({ name: 'Änne "A." </script>' }))
assert.equal((await read(one.browser.cookies)).user.name, 'Änne "A." </script>')
const name = [...one.browser.cookies.keys()].find((name) => name.endsWith('session_data'))
const old = one.browser.cookies.get(name)
good(await one.auth.revokeSessions())
one.browser.cookies.set(name, old)
assert.equal(good(await one.auth.getSession()), null)
assert.equal(one.browser.cookies.has(name), false)
