// Better Auth itself, with the settings that the cases want, so that they can be held against it:
//   node peer.mjs & EVIDENT_URL=http://localhost:PORT PEER_POSTBOX=FILE node drive.mjs
// PORT and PEER_POSTBOX come from the environment; what it would send to people goes to the postbox, a JSON line each.

import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { defaultAc } from 'better-auth/plugins/organization/access'
import { admin, anonymous, bearer, emailOTP, organization, phoneNumber, twoFactor, username } from 'better-auth/plugins'

const port = Number(process.env.PORT ?? 3999)
const baseURL = `http://localhost:${port}`
const post = (to, kind, rest) => appendFileSync(process.env.PEER_POSTBOX, `${JSON.stringify({ to, kind, ...rest })}\n`)

const tables = ['user', 'session', 'account', 'verification', 'twoFactor', 'organization', 'member', 'invitation', 'team', 'teamMember', 'organizationRole']
const database = Object.fromEntries(tables.map((name) => [name, []]))

const auth = betterAuth({
  baseURL,
  secret: 'a secret of the tests that is long enough',
  database: memoryAdapter(database),
  rateLimit: { enabled: false },
  session: { deferSessionRefresh: true, additionalFields: { theme: { type: 'string', required: false } } },
  trustedOrigins: ['https://app.example.com'],
  telemetry: { enabled: false },
  emailAndPassword: {
    enabled: true,
    sendResetPassword: async ({ user, url }) => post(user.email, 'reset', { url }),
  },
  emailVerification: { sendVerificationEmail: async ({ user, url }) => post(user.email, 'verify', { url }) },
  user: {
    changeEmail: { enabled: true, sendChangeEmailConfirmation: async ({ user, url }) => post(user.email, 'change', { url }) },
    deleteUser: { enabled: true, sendDeleteAccountVerification: async ({ user, url }) => post(user.email, 'delete', { url }) },
  },
  account: { accountLinking: { enabled: true } },
  socialProviders: { gitlab: { clientId: 'gitlab-client', clientSecret: 'gitlab-secret', issuer: `http://localhost:${port + 1}` } },
  databaseHooks: {
    user: {
      create: { before: async (user) => ({ data: user.email.startsWith('admin.') ? { ...user, role: 'admin' } : user }) },
    },
  },
  plugins: [
    twoFactor({ issuer: 'Example', otpOptions: { sendOTP: async ({ user, otp }) => post(user.email, 'otp', { code: otp }) } }),
    username(),
    anonymous(),
    phoneNumber({
      sendOTP: async ({ phoneNumber, code }) => post(phoneNumber, 'otp', { code }),
      sendPasswordResetOTP: async ({ phoneNumber, code }) => post(phoneNumber, 'otp', { code }),
      signUpOnVerification: { getTempEmail: (number) => `${number.replace(/\D/g, '')}@phone.example.com` },
    }),
    emailOTP({ sendVerificationOTP: async ({ email, otp }) => post(email, 'otp', { code: otp }), changeEmail: { enabled: true } }),
    admin(),
    organization({
      teams: { enabled: true },
      ac: defaultAc,
      dynamicAccessControl: { enabled: true },
      sendInvitationEmail: async ({ email, id }) => post(email, 'invitation', { url: `${baseURL}/accept?id=${id}` }),
    }),
    bearer(),
  ],
})

// A GitLab that knows one person.
const person = { id: 1, name: 'Igor', username: 'igor', state: 'active', locked: false, email: 'igor@example.com', confirmed_at: '2020-01-01T00:00:00Z' }
const gitlab = createServer((request, answer) => {
  const tokens = { access_token: 'token-of-1', refresh_token: 'refresh-of-1', token_type: 'bearer', expires_in: 7200 }
  const body = request.url.startsWith('/oauth/token') ? tokens : person
  answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})
gitlab.listen(port + 1)

createServer(toNodeHandler(auth)).listen(port, () => console.log(`ready on ${baseURL}`))
