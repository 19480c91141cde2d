import { describe, expect, it } from "vitest"
import { beginResults } from "./results.ts"

describe("results of a run", () => {
  it("say when, where and with what it was", async () => {
    const before = Date.now()
    const finish = await beginResults("npm run bench -- engine")
    const results = finish({ broken: ["engine: it broke"] })
    expect(Date.parse(results.started)).toBeGreaterThanOrEqual(before)
    expect(results).toMatchObject({
      command: "npm run bench -- engine",
      runtime: expect.stringContaining(process.version),
      machine: { cpus: expect.any(Number), runtime: expect.stringContaining(process.version) },
      findings: [],
      rows: [],
      broken: ["engine: it broke"],
    })
    // A version, or that it is not installed.
    for (const name of ["PureMQ", "@noble/curves", "aedes", "mosquitto", "openssl", "nginx"])
      expect(results.versions[name]).toMatch(/^\d+\.\d+\.\d+|^not installed$/)
  })
})
