// One-time codes and links: signing in without a password, confirming, recovering.

import assert from 'node:assert/strict'
import { address, admin, codeOf, device, good, linkOf, mailTo, needing, opened, password, phoneNumber, refused, textTo } from '../support.mjs'

const account = async (name) => {
  const email = address(name)
  good(await admin.createUser({ email, password, email_confirm: true }))
  return email
}

const tokenOf = (mail) => linkOf(mail).searchParams.get('token')

export default {
  'signs in by a link': needing(['POST /otp'], async () => {
    const email = await account('oda')
    const client = device()
    assert.equal(good(await client.signInWithOtp({ email, options: { shouldCreateUser: false } })).session, null)
    const proof = { type: 'email', token_hash: tokenOf(await mailTo(email)) }
    assert.equal(good(await client.verifyOtp(proof)).user.email, email)
    assert.equal(good(await client.getUser()).user.email, email)
    refused(await device().verifyOtp(proof), 403, 'otp_expired', /invalid or has expired/)
  }),

  'signs in by a code on the phone': needing(['POST /otp'], async () => {
    const phone = phoneNumber()
    good(await admin.createUser({ phone, phone_confirm: true }))
    const client = device()
    good(await client.signInWithOtp({ phone }))
    const token = codeOf(await textTo(phone))
    assert.equal(good(await client.verifyOtp({ phone, token, type: 'sms' })).user.phone, phone)
    refused(await device().verifyOtp({ phone, token, type: 'sms' }), 403, 'otp_expired')
  }),

  'recovers an account': needing(['POST /recover'], async () => {
    const email = await account('pia')
    const client = device()
    const events = []
    client.onAuthStateChange((event) => void events.push(event))
    good(await client.resetPasswordForEmail(email))
    good(await client.verifyOtp({ type: 'recovery', token_hash: tokenOf(await mailTo(email)) }))
    assert.ok(events.includes('PASSWORD_RECOVERY'), events.join())
    good(await client.updateUser({ password: 'a new and better one' }))
    good(await device().signInWithPassword({ email, password: 'a new and better one' }))
    assert.deepEqual(good(await client.resetPasswordForEmail(address('nobody'))), {})
  }),

  'exchanges the code of a link': needing(['POST /recover', 'POST /token?grant_type=pkce'], async () => {
    const email = await account('quin')
    const client = device({ flowType: 'pkce' })
    good(await client.resetPasswordForEmail(email, { redirectTo: 'http://localhost:3000/reset' }))
    const target = await opened(linkOf(await mailTo(email)))
    const code = target.searchParams.get('code')
    assert.ok(code, target.href)
    assert.equal(good(await client.exchangeCodeForSession(code)).session.user.email, email)
    refused(await device({ flowType: 'pkce' }).verifyOtp({ type: 'recovery', token_hash: 'pkce_nothing' }), 403, 'otp_expired')
  }),

  async 'changes an address'() {
    const email = await account('rob')
    const client = device()
    good(await client.signInWithPassword({ email, password }))
    const other = address('robert')
    assert.equal(good(await client.updateUser({ email: other })).user.new_email, other)
    // With autoconfirm one of the two mails is enough.
    const proof = { type: 'email_change', token_hash: tokenOf(await mailTo(other)) }
    assert.equal(good(await client.verifyOtp(proof)).user.email, other)
    refused(await client.verifyOtp(proof), 403, 'otp_expired')
  },

  'sends again': needing(['POST /resend'], async () => {
    const email = await account('sue')
    const client = device()
    good(await client.signInWithPassword({ email, password }))
    const other = address('susan')
    good(await client.updateUser({ email: other }))
    await mailTo(other)
    assert.equal(good(await client.resend({ type: 'email_change', email })).session, null)
    good(await client.verifyOtp({ type: 'email_change', token_hash: tokenOf(await mailTo(other, 2)) }))
    good(await client.resend({ type: 'signup', email: address('nobody') }))
  }),

  'asks for a nonce before a new password': needing(['GET /reauthenticate'], async () => {
    const email = await account('tom')
    const client = device()
    good(await client.signInWithPassword({ email, password }))
    good(await client.reauthenticate())
    const nonce = codeOf(await mailTo(email))
    good(await client.updateUser({ password: 'a new and better one', nonce }))
  }),
}
