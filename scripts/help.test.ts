// What the npm scripts that take arguments say to somebody who does not know them.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const runner = fileURLToPath(new URL("run.mjs", import.meta.url))
const scripts = [
  "interop",
  "fuzz",
  "limbo",
  "bogo",
  "paho",
  "contract",
  "crash",
  "cluster",
  "hosts",
  "bundle",
  "bench",
  "size",
  "explorer",
  "release",
  "conformance",
  "runtimes",
  "tls13",
  "puremq",
]
const patience = 120_000

async function output(...args: string[]): Promise<{ status: number; lines: string[] }> {
  const child = spawn(process.execPath, [runner, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  let text = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk))
  const [status] = await once(child, "close")
  // In a fresh clone the first one builds, and says so.
  return { status, lines: text.split("\n").filter((line) => line !== "" && !/building$/.test(line)) }
}

describe.sequential("npm scripts", () => {
  it.each(scripts)("npm run %s -- --help: what it takes, and status 0", { timeout: patience }, async (script) => {
    const { status, lines } = await output(script, "--help")
    expect({ status, lines }).toEqual({ status: 0, lines: expect.arrayContaining([expect.stringContaining(script)]) })
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.join("\n")).not.toMatch(/^ +at /m)
  })

  it.each(scripts)("npm run %s -- --no-such: one line, and status 2", { timeout: patience }, async (script) => {
    const args =
      script === "tls13" ? ["serve", "--no-such"] : script === "puremq" ? ["start", "--no-such"] : ["--no-such"]
    const { status, lines } = await output(script, ...args)
    expect({ status, lines }).toEqual({ status: 2, lines: [expect.stringContaining("unknown option --no-such")] })
  })

  it("npm run contract -- --program that is none: one line, and status 2", { timeout: patience }, async () => {
    const { status, lines } = await output("contract", "--program", "/no/such")
    expect({ status, lines }).toEqual({
      status: 2,
      lines: [expect.stringMatching(/\/no\/such cannot be run: .*pip install/)],
    })
  })
})
