import { describe, expect, it } from "vitest"
import { commandLine } from "./command-line.ts"

describe("a command that makes figures again", () => {
  it("is what a shell takes, without where they are written", () => {
    expect(commandLine([])).toBe("npm run bench")
    expect(commandLine(["--report", "engine", "--json", "a.json"])).toBe("npm run bench -- engine")
    expect(commandLine(["--report", "out.html", "engine"])).toBe("npm run bench -- engine")
    expect(commandLine(["--scenario", "seal 64 TLS_AES_128_GCM_SHA256", "--subjects", "node,fast"])).toBe(
      "npm run bench -- --scenario 'seal 64 TLS_AES_128_GCM_SHA256' --subjects node,fast",
    )
    expect(commandLine(["it's"])).toBe("npm run bench -- 'it'\\''s'")
  })

  it("has the runtime that it was started on with --on", () => {
    process.env["PUREMQ_BENCH_ON"] = "bun"
    try {
      expect(commandLine(["engine"])).toBe("npm run bench -- engine --on bun")
    } finally {
      delete process.env["PUREMQ_BENCH_ON"]
    }
  })
})
