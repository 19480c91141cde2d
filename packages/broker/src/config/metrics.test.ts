// Where metrics may be served as they are configured, and what a reload takes of it.

import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { describe, expect, it } from "vitest"
import { createBroker } from "../platform/node.ts"
import { ConfigError, type MetricsConfig } from "./config.ts"
import { checkMetrics, metricsAfter, rereadMetrics, tokensOf } from "./metrics.ts"

const now = Date.now()
const made = createDevelopmentCertificates({ names: ["localhost"], clientName: "scraper", now })
const [cert, key, ca] = [made.serverCert, made.serverKey, made.caCert]
const tokens = ["0123456789abcdef"]

describe("metrics are not left open by oversight", () => {
  const elsewhere = { host: "0.0.0.0", port: 0 }

  it.each<[string, MetricsConfig]>([
    ["on this machine", { port: 0 }],
    ["on this machine, by its name", { host: "localhost", port: 0 }],
    ["on this machine, with a token in the clear", { host: "::1", port: 0, tokens }],
    ["elsewhere, with TLS and a token", { ...elsewhere, cert, key, tokens }],
    ["elsewhere, with TLS and certificates of clients", { ...elsewhere, cert, key, ca }],
    ["elsewhere, where that is said", { ...elsewhere, open: true }],
    ["elsewhere, with a token in the clear, where that is said", { ...elsewhere, tokens, open: true }],
  ])("%s: served", (_, config) => {
    expect(() => checkMetrics(config, now)).not.toThrow()
  })

  it.each<[MetricsConfig, string]>([
    [elsewhere, "metrics on 0.0.0.0 would be open to everybody who can reach it"],
    [{ ...elsewhere, host: "192.0.2.1" }, "metrics on 192.0.2.1 would be open"],
    [{ ...elsewhere, cert, key }, "would be open to everybody"],
    [{ ...elsewhere, tokens }, "metrics on 0.0.0.0 would send tokens in the clear"],
    [{ port: 0, cert }, "metrics.cert and metrics.key go together"],
    [{ port: 0, ca }, "metrics.ca needs metrics.cert"],
    [{ port: 0, cert, key: made.clientKey }, "of the metrics"],
    [{ port: 0, cert, key, ca: "no PEM" }, "the authorities in metrics.ca"],
    [{ port: 0, tokens: [] }, "metrics.tokens holds no token"],
    [{ port: 0, tokens: ["short"] }, "metrics.tokens: token 1 has 5 characters, and 16 are the least"],
  ])("%o: %s", (config, message) => {
    expect(() => checkMetrics(config, now)).toThrow(ConfigError)
    expect(() => checkMetrics(config, now)).toThrow(message)
    expect(() => createBroker({ metrics: config })).toThrow(message)
  })
})

describe("a file of tokens", () => {
  it("has one a line, and comments", () => {
    const content = `# old\r\n${tokens[0]}\r\n\n  # new\n  fedcba9876543210  \n`
    expect(tokensOf(content, "tokens")).toEqual([tokens[0], "fedcba9876543210"])
  })

  it.each([
    ["", "tokens holds no token; make one with"],
    ["# none\n", "tokens holds no token"],
    ["0123456789abcde", "tokens: token 1 has 15 characters, and 16 are the least"],
    [`${tokens[0]}\n0123456789 abcdef`, "tokens: token 2 has characters that no token may have"],
    [Array(17).fill(tokens[0]).join("\n"), "tokens holds 17 tokens; 16 are the most"],
  ])("%j is refused, and not repeated", (content, message) => {
    expect(() => tokensOf(content, "tokens")).toThrow(message)
    for (const line of content.split("\n").filter((one) => one.length > 8 && !one.startsWith("#")))
      expect(() => tokensOf(content, "tokens")).not.toThrow(line)
  })

  it("has 16 of them at most", () => {
    expect(tokensOf(Array(16).fill(tokens[0]).join("\n"), "tokens")).toHaveLength(16)
  })
})

describe("a reload", () => {
  const before = { host: "0.0.0.0", port: 1, cert, key, tokens }

  it("takes other certificates and tokens, and nothing else", () => {
    const after = metricsAfter(before, { port: 2, cert, key, tokens: ["fedcba9876543210"], open: true }, now)
    expect(after).toMatchObject({ host: "0.0.0.0", port: 1, tokens: ["fedcba9876543210"] })
    expect(after.open).toBeUndefined()
    expect(rereadMetrics(before, after).map(({ text }) => text)).toEqual(["tokens for metrics, changed"])
    expect(rereadMetrics(before, { ...before })).toEqual([])
  })

  it.each<[Partial<MetricsConfig>, string]>([
    [{ tokens: undefined }, "there is no token for metrics any more; that needs a restart"],
    [{ cert: undefined, key: undefined }, "there is no certificate for metrics any more; that needs a restart"],
    [{ ca }, "there is no authority for who reads metrics until now; that needs a restart"],
    [{ tokens: ["short"] }, "token 1 has 5 characters"],
    [{ key: made.clientKey }, "of the metrics"],
  ])("refuses what would open them, or cannot be used: %o", (change, message) => {
    expect(() => metricsAfter(before, { ...before, ...change }, now)).toThrow(message)
  })

  it("a running broker takes them, or none of what comes with them", async () => {
    const broker = createBroker({ metrics: { port: 0, tokens } })
    const [endpoint] = await broker.listen()
    const status = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`http://127.0.0.1:${endpoint?.port}/metrics`, { headers })).status
    }
    expect(await status(tokens[0]!)).toBe(200)
    const next = "fedcba9876543210"
    broker.reload({ metrics: { port: 0, tokens: [next] } })
    expect([await status(tokens[0]!), await status(next)]).toEqual([401, 200])
    expect(() => broker.reload({ metrics: { port: 0 } })).toThrow("no token for metrics any more")
    expect(await status(next)).toBe(200)
    await broker.close()
  })
})
