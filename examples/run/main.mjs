// Runs each file of examples/ against the real server that it is for. `npm run examples [-- NAME...]`

import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { servers } from "./servers.mjs"

const examples = fileURLToPath(new URL("..", import.meta.url))
const names = readdirSync(examples)
  .filter((name) => name.endsWith(".mjs"))
  .map((name) => name.replace(".mjs", ""))

const help = `Runs the programs of examples/ against real servers on 127.0.0.1.

  npm run examples [-- NAME...]

  NAME      one of ${names.join(", ")} (default: all of them)
  --help    this text

What needs a server that is not installed (PostgreSQL, Redis) is skipped. The exit status is 1 when an example fails.`

const chosen = process.argv.slice(2)
const unknown = chosen.find((name) => name !== "--help" && !names.includes(name))
if (unknown !== undefined) {
  console.error(`examples: there is no ${unknown}; the examples are ${names.join(", ")}`)
  process.exit(2)
}
if (chosen.includes("--help")) {
  console.log(help)
  process.exit(0)
}

const folder = mkdtempSync(join(tmpdir(), "puremq-examples-"))
const { caCert, serverCert, serverKey } = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const files = { ca: join(folder, "ca.pem"), cert: join(folder, "server.pem"), key: join(folder, "server-key.pem") }
writeFileSync(files.ca, caCert)
writeFileSync(files.cert, serverCert)
writeFileSync(files.key, serverKey, { mode: 0o600 })
const counts = { passed: 0, failed: 0, skipped: 0 }
try {
  for (const name of chosen.length > 0 ? chosen : names) await run(name)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""
console.log(`\nexamples: ${counts.passed} passed, ${counts.failed} failed${skipped}`)
process.exit(counts.failed > 0 ? 1 : 0)

async function run(name) {
  const { start, says } = servers[name] ?? {}
  if (start === undefined) return tell("failed", name, "no server is known for it: examples/run/servers.mjs")
  let server
  try {
    server = await start({ folder, files, cert: serverCert, key: serverKey })
    if (server.missing !== undefined) return tell("skipped", name, server.missing)
    const output = await programOutput(name, server.port)
    if (says.test(output)) tell("passed", name, output.trim())
    else tell("failed", name, `it printed ${JSON.stringify(output)}`)
  } catch (error) {
    tell("failed", name, error instanceof Error ? error.message : String(error))
  } finally {
    await server?.stop?.()
  }
}

function tell(outcome, name, text) {
  counts[outcome]++
  const word = { passed: "ok  ", failed: "FELL", skipped: "skip" }[outcome]
  console.log(`  ${word}  ${name}: ${text}`)
}

async function programOutput(name, port) {
  const child = spawn(process.execPath, [join(examples, `${name}.mjs`)], {
    env: { ...process.env, HOST: "localhost", PORT: String(port), CA: files.ca, USER: "postgres" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  })
  let [output, errors] = ["", ""]
  child.stdout.on("data", (data) => {
    output += data
  })
  child.stderr.on("data", (data) => {
    errors += data
  })
  const [status, signal] = await once(child, "close")
  if (status !== 0) throw new Error(`ended with ${signal ?? status}: ${output}${errors}`)
  return output
}
