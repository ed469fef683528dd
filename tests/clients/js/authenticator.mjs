// A WebAuthn authenticator of software (W3C Web Authentication, level 3): ES256, no attestation.

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const url64 = (bytes) => Buffer.from(bytes).toString('base64url')
const bytesOf = (value) => (typeof value === 'string' ? Buffer.from(value, 'base64url') : Buffer.from(value))
const sha256 = (bytes) => createHash('sha256').update(bytes).digest()

// What browsers hand to scripts; the client asks for its kind by name.
class PublicKeyCredential {
  constructor(id, response) {
    Object.assign(this, { id, rawId: id, type: 'public-key', response, authenticatorAttachment: 'cross-platform' })
  }

  getClientExtensionResults() {
    return {}
  }

  toJSON() {
    const { id, rawId, type, response, authenticatorAttachment } = this
    return { id, rawId, type, response, authenticatorAttachment, clientExtensionResults: {} }
  }
}

// CBOR (RFC 8949), as far as attestations need it: numbers, bytes, texts, maps with fewer than 24 entries.
const head = (major, length) => {
  if (length < 24) return Buffer.from([(major << 5) | length])
  if (length < 256) return Buffer.from([(major << 5) | 24, length])
  return Buffer.from([(major << 5) | 25, length >> 8, length & 255])
}
const cbor = (value) => {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  const entries = [...value].map(([name, inner]) => Buffer.concat([cbor(name), cbor(inner)]))
  return Buffer.concat([head(5, entries.length), ...entries])
}

export class Authenticator {
  #origin
  #keys = new Map()

  constructor(origin) {
    this.#origin = origin
  }

  create(options) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    const cose = cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, bytesOf(x)], [-3, bytesOf(y)]]))
    const id = randomBytes(16)
    this.#keys.set(url64(id), { privateKey, user: bytesOf(options.user.id), count: 0 })
    const length = Buffer.from([id.length >> 8, id.length & 255])
    const credential = Buffer.concat([Buffer.alloc(16), length, id, cose])
    // User present, user verified, credential data.
    const data = Buffer.concat([this.#data(options.rp.id, 0x45, 0), credential])
    const attestation = cbor(new Map([['fmt', 'none'], ['attStmt', new Map()], ['authData', data]]))
    return new PublicKeyCredential(url64(id), {
      clientDataJSON: url64(this.#said('webauthn.create', options.challenge)),
      attestationObject: url64(attestation),
      transports: ['usb'],
    })
  }

  get(options) {
    const allowed = (options.allowCredentials ?? []).map(({ id }) => url64(bytesOf(id)))
    const id = [...this.#keys.keys()].find((known) => allowed.length === 0 || allowed.includes(known))
    const held = this.#keys.get(id)
    held.count += 1
    const data = this.#data(options.rpId, 0x05, held.count)
    const said = this.#said('webauthn.get', options.challenge)
    const signature = sign('sha256', Buffer.concat([data, sha256(said)]), held.privateKey)
    return new PublicKeyCredential(id, {
      clientDataJSON: url64(said),
      authenticatorData: url64(data),
      signature: url64(signature),
      userHandle: url64(held.user),
    })
  }

  // Does something where there is a browser with this authenticator.
  async during(run) {
    const given = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
    const credentials = {
      create: async ({ publicKey }) => this.create(publicKey),
      get: async ({ publicKey }) => this.get(publicKey),
    }
    const location = new URL(this.#origin)
    Object.assign(globalThis, { PublicKeyCredential, document: {}, window: { PublicKeyCredential, location } })
    Object.defineProperty(globalThis, 'navigator', { value: { credentials }, configurable: true })
    try {
      return await run()
    } finally {
      for (const name of ['PublicKeyCredential', 'document', 'window', 'navigator']) delete globalThis[name]
      if (given) Object.defineProperty(globalThis, 'navigator', given)
    }
  }

  #data(rpId, flags, count) {
    const rest = Buffer.alloc(5)
    rest[0] = flags
    rest.writeUInt32BE(count, 1)
    return Buffer.concat([sha256(rpId), rest])
  }

  #said(type, challenge) {
    return Buffer.from(JSON.stringify({ type, challenge: url64(bytesOf(challenge)), origin: this.#origin, crossOrigin: false }))
  }
}
