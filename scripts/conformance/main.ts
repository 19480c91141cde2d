// npm run conformance: writes the requirements of RFC 9846 and the tests that show them into docs/conformance.md.

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { generate, page } from "./generate.ts"

const help = `Writes the requirements of RFC 9846 and the tests that show them into ${page}.

  npm run conformance

  --help    this text

The exit status is 1 when a test names a requirement that there is not, and nothing is written then.`

const [argument] = process.argv.slice(2)
if (argument === "--help") {
  console.log(help)
  process.exit(0)
}
if (argument !== undefined) {
  console.error(`conformance: unknown option ${argument}; see --help`)
  process.exit(2)
}

// This runs as one file in scripts/conformance/dist.
const root = fileURLToPath(new URL("../../../", import.meta.url))
const generated = generate(root)
for (const problem of generated.problems) console.error(`conformance: ${problem}`)
if (generated.problems.length > 0) process.exitCode = 1
else {
  writeFileSync(join(root, page), generated.page)
  console.log(`${generated.summary}; written to ${page}`)
}
