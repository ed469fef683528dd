// What stands before an application reads the copy of the session that browsers bring, as Better Auth's own
// middleware does. EVIDENT_SECRET is what the server signs with, EVIDENT_STRATEGY the form of the copy.

import assert from 'node:assert/strict'
import { getCookieCache } from 'better-auth/cookies'
import { again, good, person } from './support.mjs'

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

// What is too long for one cookie stands in several, as long as it is.
const parts = () => [...one.browser.cookies.keys()].filter((name) => name.includes('session_data')).sort()
good(await one.auth.updateSession({ draft: 'x'.repeat(5_000) }))
assert.deepEqual(parts().map((name) => name.split('.').pop()).slice(0, 2), ['0', '1'])
assert.equal((await read(one.browser.cookies)).session.draft.length, 5_000)
good(await one.auth.updateSession({ draft: 'y'.repeat(3_500) }))
assert.equal((await read(one.browser.cookies)).session.draft, 'y'.repeat(3_500))
good(await one.auth.updateSession({ draft: null }))
assert.equal(parts().length, 1)
assert.equal((await read(one.browser.cookies)).session.draft, null)
const two = await again(one)
good(await two.auth.updateSession({ draft: 'x'.repeat(5_000) }))
good(await two.auth.signOut())
assert.equal(two.browser.cookies.size, 0)

// It follows what changes, and it is no way in.
good(await one.auth.updateUser({ name: 'Änne "A." </script>' }))
assert.equal((await read(one.browser.cookies)).user.name, 'Änne "A." </script>')
const name = [...one.browser.cookies.keys()].find((name) => name.endsWith('session_data'))
const old = one.browser.cookies.get(name)
good(await one.auth.revokeSessions())
one.browser.cookies.set(name, old)
assert.equal(good(await one.auth.getSession()), null)
assert.equal(one.browser.cookies.has(name), false)
