// Drives the official client through everything that it can do, and checks what it gets.

import * as support from './support.mjs'

const groups = ['accounts', 'messages', 'factors', 'passkeys', 'external', 'applications', 'administration', 'providers']

// Methods that no server answers yet: the client has them ahead of Supabase Auth itself.
const AHEAD = /^auth\.mfa\.recoveryCodes\./

let passed = 0
let failed = 0
let waiting = 0
for (const group of groups) {
  const { default: cases } = await import(`./cases/${group}.mjs`)
  for (const [name, run] of Object.entries(cases)) {
    const missing = []
    for (const endpoint of run.needs ?? []) if (!(await support.serves(endpoint))) missing.push(endpoint)
    if (missing.length > 0) {
      waiting += 1
      console.log(`wait ${group}: ${name} (${missing.join(', ')} not there yet)`)
      continue
    }
    try {
      await run()
      passed += 1
      console.log(`ok   ${group}: ${name}`)
    } catch (error) {
      failed += 1
      console.log(`FAIL ${group}: ${name}`)
      console.error(error)
    }
  }
}

const untouched = support.surface().filter((name) => !support.called.has(name) && !AHEAD.test(name))
if (untouched.length > 0) {
  console.log(`not called: ${untouched.join(', ')}`)
  // While cases wait, so do their methods.
  if (waiting === 0) failed += 1
}
console.log(`${passed} passed, ${failed} failed, ${waiting} waiting`)
process.exit(failed === 0 ? 0 : 1)
