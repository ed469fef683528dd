// What the cases share: the server, devices with a cookie jar of their own, mails and texts.
// EVIDENT_URL is the server, EVIDENT_ORIGIN its address as it has it where that is another; EVIDENT_DATA its data folder, or PEER_POSTBOX the postbox of `peer.mjs`.

import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createAuthClient } from 'better-auth/client'
import {
  adminClient,
  anonymousClient,
  emailOTPClient,
  organizationClient,
  phoneNumberClient,
  twoFactorClient,
  usernameClient,
} from 'better-auth/client/plugins'

export const url = process.env.EVIDENT_URL
export const base = `${url}/api/auth`
// Where the server believes it is, and pages are from.
export const origin = process.env.EVIDENT_ORIGIN ?? url
export const password = 'correct horse battery'
// Set where the cases run against Better Auth itself.
export const peer = process.env.PEER_POSTBOX

// What was seen of each operation (`POST /sign-in/email`): statuses, and the fields of answers.
export const seen = {}

const see = async (name, answer) => {
  const entry = (seen[name] ??= { statuses: [], fields: [] })
  const add = (list, value) => void (list.includes(value) || list.push(value))
  add(entry.statuses, answer.status)
  if (answer.status !== 200 || !answer.headers.get('content-type')?.includes('json')) return
  const body = await answer.clone().json().catch(() => null)
  const [inner, mark] = Array.isArray(body) ? [body[0], '[].'] : [body, '']
  for (const field of Object.keys(inner ?? {})) add(entry.fields, mark + field)
}

const operation = (method, target) => {
  const path = new URL(target).pathname.replace('/api/auth', '')
  const pattern = path.replace(/^\/reset-password\/.+/, '/reset-password/{token}').replace(/^\/callback\/.+/, '/callback/{id}')
  return `${method.toUpperCase()} ${pattern}`
}

// A browser: it keeps cookies, and says where its page is from.
export class Browser {
  cookies = new Map()

  fetch = async (input, init = {}) => {
    const target = typeof input === 'string' ? input : (input.url ?? String(input))
    const headers = new Headers(init.headers)
    headers.set('origin', origin)
    headers.set('user-agent', 'Browser/1.0')
    if (this.cookies.size > 0) headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const answer = await globalThis.fetch(target, { ...init, headers, redirect: 'manual' })
    await see(operation(init.method ?? 'GET', target), answer)
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/)
      if (/max-age=0(;|$)/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }
}

// A device with the client and its plugins; `device.browser` is what it runs in.
export const device = () => {
  const browser = new Browser()
  const client = createAuthClient({
    baseURL: base,
    fetchOptions: { customFetchImpl: browser.fetch },
    plugins: [
      twoFactorClient(),
      usernameClient(),
      anonymousClient(),
      phoneNumberClient(),
      emailOTPClient(),
      adminClient(),
      organizationClient({ teams: { enabled: true }, dynamicAccessControl: { enabled: true } }),
    ],
  })
  // What the client has no method for: older endpoints, and what it leaves to pages.
  const raw = async (method, path, body) => {
    const init = { method, headers: { 'content-type': 'application/json' } }
    if (method === 'POST') init.body = JSON.stringify(body ?? {})
    const answer = await browser.fetch(base + path, init)
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined }
  }
  return { auth: client, browser, raw }
}

export const good = ({ data, error }) => {
  assert.equal(error, null, error ? `${error.status} ${error.code} ${error.message}` : undefined)
  return data
}

export const refused = ({ data, error }, status, code, message) => {
  assert.ok(error, `nothing was refused: ${JSON.stringify(data)}`)
  assert.equal(error.status, status, error.message)
  assert.equal(error.code, code, error.message)
  if (message) assert.match(error.message, message)
}

export const address = (name) => `${name}.${randomUUID().slice(0, 8)}@example.com`
export const phone = () => `+1555${String(Math.floor(Math.random() * 1e7)).padStart(7, '0')}`
export const word = (name) => `${name}_${randomUUID().slice(0, 8)}`

// Somebody new who is signed in on a device of their own.
export const person = async (name, email = address(name.toLowerCase())) => {
  const { auth, browser, raw } = device()
  const { token, user } = good(await auth.signUp.email({ email, password, name }))
  return { auth, browser, raw, email, token, user }
}

// The same person on another device.
export const again = async ({ email }, secret = password) => {
  const other = device()
  return { ...other, email, ...good(await other.auth.signIn.email({ email, password: secret })) }
}

// Shows that the address is theirs.
export const verified = async (one) => {
  good(await one.auth.sendVerificationEmail({ email: one.email }))
  for (let count = 1; count < 10; count += 1) {
    const link = await linkTo(one.email, count)
    if (!link.pathname.endsWith('/verify-email')) continue
    assert.ok((await one.browser.fetch(link)).status < 400)
    return one
  }
  throw new Error(`no mail with a link for ${one.email}`)
}

// Somebody who administers: of these addresses, or of one that begins with `admin.` on Better Auth itself.
const administrators = (process.env.EVIDENT_ADMINISTRATORS ?? '').split(',').filter(Boolean)
export const administrator = async () => verified(await person('admin', administrators.shift()))

const letters = async (to) => {
  if (peer) {
    const lines = (await readFile(peer, 'utf8').catch(() => '')).split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line)).filter((letter) => letter.to === to).map((letter) => letter.url ?? letter.code)
  }
  const found = []
  for (const folder of ['mail', 'sms']) {
    const names = await readdir(join(process.env.EVIDENT_DATA, folder)).catch(() => [])
    for (const name of names.filter((name) => /^[^.].*\.(eml|txt)$/.test(name))) {
      const path = join(process.env.EVIDENT_DATA, folder, name)
      const text = await readFile(path, 'utf8').catch(() => '')
      const plain = to.replace(/^\+/, '')
      if (text.split(/\r?\n/).some((line) => line.startsWith('To: ') && line.includes(plain))) {
        found.push({ text: decoded(text), at: (await stat(path)).mtimeMs, name })
      }
    }
  }
  found.sort((one, two) => one.at - two.at || one.name.localeCompare(two.name))
  return found.map((letter) => letter.text)
}

const decoded = (text) => {
  const joined = text.replaceAll('\r\n', '\n')
  if (!joined.includes('quoted-printable')) return joined
  const bytes = joined.replaceAll('=\n', '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

// The newest mail or text to somebody, once there are so many.
const letterTo = async (to, count) => {
  for (let tries = 0; tries < 500; tries += 1) {
    const all = await letters(to)
    if (all.length >= count) return all.at(-1)
    await pause(20)
  }
  throw new Error(`no message number ${count} to ${to}`)
}

// The link in the newest message, for this server whatever its port.
export const linkTo = async (to, count = 1) => {
  const letter = await letterTo(to, count)
  const found = letter.match(/https?:\/\/[^\s"<>]+/)
  assert.ok(found, letter)
  const link = new URL(found[0].replaceAll('&amp;', '&'))
  return new URL(link.pathname + link.search, url)
}

// The code in the newest message.
export const codeTo = async (to, count = 1) => {
  const letter = await letterTo(to, count)
  const body = letter.includes('\n\n') ? letter.slice(letter.indexOf('\n\n')) : letter
  const found = body.match(/(?<![A-Za-z0-9#=-])[0-9]{6}(?![A-Za-z0-9])/)
  assert.ok(found, letter)
  return found[0]
}

// The code of an otpauth address (RFC 6238) now, or so many steps later.
export const totp = (uri, later = 0) => {
  const secret = new URL(uri).searchParams.get('secret')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + later))
  const mac = createHmac('sha1', bytes).update(counter).digest()
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff
  return String(number % 1e6).padStart(6, '0')
}
