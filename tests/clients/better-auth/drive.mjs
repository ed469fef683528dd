// Drives the official client through every operation, and checks what it gets.

import { readFile, writeFile } from 'node:fs/promises'
import * as support from './support.mjs'

const all = ['core', 'two-factor', 'username', 'anonymous', 'phone-number', 'email-otp', 'admin', 'organization', 'teams']
const groups = process.argv.length > 2 ? process.argv.slice(2) : all

let passed = 0
let failed = 0
for (const group of groups) {
  const { default: cases } = await import(`./cases/${group}.mjs`)
  for (const [name, run] of Object.entries(cases)) {
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

if (process.env.EVIDENT_REPORT) await writeFile(process.env.EVIDENT_REPORT, JSON.stringify(support.seen))

// Every operation that the seed names was asked for.
const table = JSON.parse(await readFile(new URL('../../conformance/better-auth-endpoints.json', import.meta.url)))
const named = table.filter(({ seed }) => seed).map(({ method, path }) => `${method} ${path}`)
const untouched = named.filter((operation) => !Object.hasOwn(support.seen, operation))
if (groups.length === all.length && untouched.length > 0) {
  failed += 1
  console.log(`not called: ${untouched.join(', ')}`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
