// What the cases share: the server, devices with a session of their own, an administrator, mails.
// EVIDENT_URL is the server, EVIDENT_DATA its data folder, EVIDENT_SERVICE_ROLE_KEY an administrator's token.

import assert from 'node:assert/strict'
import { createHmac, randomUUID, webcrypto } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AuthAdminApi, AuthClient, isAuthApiError, isAuthWeakPasswordError } from '@supabase/auth-js'

// Node 18 keeps it in a module; browsers and newer versions have it at hand.
globalThis.crypto ??= webcrypto

export const url = process.env.EVIDENT_URL
export const key = process.env.EVIDENT_SERVICE_ROLE_KEY
export const password = 'correct horse battery'

// What the client asks the server, so that a case can say what must not be asked.
export const asked = []
export const forget = () => void asked.splice(0)
export const fetch = (input, init) => {
  asked.push(`${init?.method ?? 'GET'} ${new URL(input).pathname}`)
  return globalThis.fetch(input, init)
}

// Which methods of the clients were called, by name: auth.signUp, admin.mfa.listFactors.
export const called = new Set()

const recorded = (name, target, inner) =>
  new Proxy(target, {
    get(object, property) {
      const value = object[property]
      if (Object.hasOwn(inner, property)) return recorded(`${name}.${property}`, value, inner[property])
      if (typeof value !== 'function') return value
      called.add(`${name}.${property}`)
      return value.bind(object)
    },
  })

const INNER = {
  auth: { mfa: { webauthn: {}, recoveryCodes: {} }, oauth: {}, passkey: {} },
  admin: { mfa: {}, oauth: {}, customProviders: {}, passkey: {} },
}

// A device of its own: its session lies in its own memory.
export const device = (options = {}) => {
  const memory = new Map()
  const storage = {
    getItem: (name) => memory.get(name) ?? null,
    setItem: (name, value) => void memory.set(name, value),
    removeItem: (name) => void memory.delete(name),
  }
  const client = new AuthClient({ url, fetch, storage, autoRefreshToken: false, persistSession: true, ...options })
  return recorded('auth', client, INNER.auth)
}

// As supabase-js does it: below /auth/v1, with the key on every call.
export const admin = recorded(
  'admin',
  new AuthAdminApi({ url: `${url}/auth/v1`, headers: { apikey: key, Authorization: `Bearer ${key}` }, fetch }),
  INNER.admin,
)

// Every public method, as the cases should call them. What begins with an underscore is the client's own,
// and so is what its types hide.
const HIDDEN = ['constructor', 'fetchJwk', 'linkIdentityOAuth', 'linkIdentityIdToken', 'signInWithEthereum', 'signInWithSolana']
export const surface = () => {
  const names = []
  const walk = (name, object, inner) => {
    const own = [...Object.getOwnPropertyNames(object), ...Object.getOwnPropertyNames(Object.getPrototypeOf(object))]
    for (const property of new Set(own)) {
      if (Object.hasOwn(inner, property)) walk(`${name}.${property}`, object[property], inner[property])
      else if (/^[a-z]/.test(property) && !HIDDEN.includes(property) && isMethod(name, object, property)) {
        names.push(`${name}.${property}`)
      }
    }
  }
  walk('auth', new AuthClient({ url, autoRefreshToken: false }), INNER.auth)
  walk('admin', new AuthAdminApi({ url }), INNER.admin)
  return names
}

// On the clients themselves a function that is a field is something that was handed in, as `fetch`.
const isMethod = (name, object, property) =>
  typeof object[property] === 'function' &&
  (name.includes('.') ? !(property in Object.prototype) : !Object.hasOwn(object, property))

export const good = ({ data, error }) => {
  assert.equal(error, null)
  return data
}

export const refused = ({ error }, status, code, message) => {
  assert.ok(error, `nothing was refused, ${status} ${code} was expected`)
  assert.ok(isAuthApiError(error) || isAuthWeakPasswordError(error), `${error.name}: ${error.message}`)
  assert.equal(error.status, status, error.message)
  assert.equal(error.code, code, error.message)
  if (message) assert.match(error.message, message)
}

export const address = (name) => `${name}.${randomUUID()}@example.com`
export const phoneNumber = () => `1555${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`

// A case that runs once the server has these endpoints.
export const needing = (endpoints, run) => Object.assign(run, { needs: endpoints })

let document
export const serves = async (endpoint) => {
  document ??= await (await globalThis.fetch(`${url}/openapi.json`)).json()
  const [method, path] = endpoint.split(' ')
  if (!path.includes('?')) return document.paths[path]?.[method.toLowerCase()] !== undefined
  // A grant is there when it is not refused as unknown.
  const answer = await globalThis.fetch(url + path, { method, body: '{}' })
  return (await answer.json()).msg !== 'unsupported_grant_type'
}

const newest = async (folder, to, count) => {
  for (let tries = 0; tries < 500; tries += 1) {
    const names = await readdir(join(process.env.EVIDENT_DATA, folder)).catch(() => [])
    const files = []
    for (const name of names.filter((name) => /^[^.].*\.(eml|txt)$/.test(name))) {
      const path = join(process.env.EVIDENT_DATA, folder, name)
      const text = await readFile(path, 'utf8').catch(() => '')
      if (text.split(/\r?\n/).some((line) => line.startsWith('To: ') && line.includes(to))) {
        files.push({ text, at: (await stat(path)).mtimeMs, name })
      }
    }
    if (files.length >= count) {
      files.sort((one, two) => one.at - two.at || one.name.localeCompare(two.name))
      return decoded(files.at(-1).text)
    }
    await pause(20)
  }
  throw new Error(`no message number ${count} to ${to}`)
}

const decoded = (text) => {
  const joined = text.replaceAll('\r\n', '\n')
  if (!joined.includes('quoted-printable')) return joined
  const bytes = joined.replaceAll('=\n', '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

// The newest mail or text to somebody, once there are so many.
export const mailTo = (email, count = 1) => newest('mail', email.toLowerCase(), count)
export const textTo = (phone, count = 1) => newest('sms', phone, count)

// The link of a mail, for this server whatever its port.
export const linkOf = (mail) => {
  const found = mail.match(/http:\/\/localhost:9999(\/verify[^"<>\s]*)/)
  assert.ok(found, mail)
  return new URL(found[1].replaceAll('&amp;', '&'), url)
}

// The six digits of a message.
export const codeOf = (message) => {
  const body = message.slice(message.indexOf('\n\n'))
  const found = body.match(/(?<![A-Za-z0-9#=-])[0-9]{6}(?![A-Za-z0-9])/)
  assert.ok(found, message)
  return found[0]
}

// Opens a link and answers where it leads.
export const opened = async (link) => {
  const answer = await globalThis.fetch(link, { redirect: 'manual' })
  assert.ok([302, 303].includes(answer.status), `${answer.status} ${await answer.clone().text()}`)
  return new URL(answer.headers.get('location'))
}

// The code of a TOTP secret (RFC 6238) now, or so many steps later.
export const totp = (secret, later = 0) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + later))
  const mac = createHmac('sha1', bytes).update(counter).digest()
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff
  return String(number % 1e6).padStart(6, '0')
}
