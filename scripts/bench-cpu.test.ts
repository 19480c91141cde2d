// `tls13 bench --pid` and what the system counts under `openssl s_time` agree. Ratios of one run; their bounds are wide, as a busy
// machine moves them. What this finds is a count that is wrong by half or more, such as that of a thread instead of a process.

import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const script = fileURLToPath(new URL("bench-cpu.mjs", import.meta.url))
const here = spawnSync("openssl", ["s_time", "-help"]).status === 0 && process.platform === "linux"

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" })
  return { status, text: stdout + stderr }
}

describe("the server's CPU time a handshake", () => {
  it.skipIf(!here)("is what the system counts for it (needs Linux and openssl)", { timeout: 180_000 }, () => {
    spawnSync(process.execPath, [fileURLToPath(new URL("run.mjs", import.meta.url)), "build"])
    const { status, text } = run(
      "--abrupt",
      "--seconds",
      "2",
      "--rounds",
      "3",
      "--same",
      "0.6-1.6",
      "--beside",
      "0.4-2.5",
      "openssl",
      "ours",
    )
    expect(text).toMatch(
      /^openssl +bench [\d.]+ ms, the system in that run [\d.]+: ratio [\d.]+; under s_time [\d.]+: ratio /m,
    )
    expect(text).toMatch(
      /^ours +bench [\d.]+ ms, the system in that run [\d.]+: ratio [\d.]+; under s_time [\d.]+: ratio /m,
    )
    expect({ status, text }).toEqual({ status: 0, text: expect.not.stringContaining("NOT within") })
  })

  it.skipIf(!here)("is told for programs, too", { timeout: 120_000 }, () => {
    const { status, text } = run("--json", "--seconds", "1", "--rounds", "2", "--beside", "0-99", "openssl", "/no/such")
    expect({ status, text }).toEqual({ status: 0, text: expect.stringMatching(/^\{.*\}\n$/) })
    const { servers } = JSON.parse(text)
    expect(servers).toEqual({ openssl: [expect.anything(), expect.anything()], "/no/such": null })
    for (const { bench, sTime, beside, regular } of servers.openssl) {
      expect(beside).toBeCloseTo(bench / sTime)
      expect(regular).toBeGreaterThan(0)
    }
  })

  it("says how it is used, and what it does not know", () => {
    expect(run("--help")).toEqual({ status: 0, text: expect.stringContaining("openssl s_time") })
    expect(run("--no-such")).toEqual({ status: 2, text: "bench-cpu: unknown option --no-such; see --help\n" })
  })
})
