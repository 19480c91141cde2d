// The examples of docs/hooks.md are what the broker sends and takes.

import { createHmac } from "node:crypto"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { HookLogin } from "../access/hook-login.ts"
import type { LogEvent } from "../admin/log.ts"
import { webhookEventNames } from "../admin/webhook-events.ts"
import { Webhook } from "../admin/webhooks.ts"
import { requestBytes } from "../http/client.ts"
import { placeOf } from "../http/place.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Decision } from "../ports/access.ts"
import type { HttpCall, HttpOutcome } from "../ports/http.ts"

const page = readFileSync(new URL("../../../../docs/hooks.md", import.meta.url), "utf8")

function example(name: string): string {
  const [, text] = new RegExp(`<!-- example: ${name} -->\n\`\`\`text\n([^]*?)\n\`\`\``).exec(page) ?? []
  if (text === undefined) throw new Error(`docs/hooks.md has no example ${name}`)
  return text
}

function callerOf(url: string) {
  const place = placeOf(url)
  if (typeof place === "string") throw new Error(place)
  const calls: { text: string; done: (outcome: HttpOutcome) => void }[] = []
  const call = (request: HttpCall, done: (outcome: HttpOutcome) => void) => {
    calls.push({ text: new TextDecoder().decode(requestBytes(request, place)).replaceAll("\r\n", "\n"), done })
    return () => undefined
  }
  return { calls, caller: { place: place.shown, call, close: () => undefined } }
}

/** Asks about the client of the page. */
function ask(): { calls: ReturnType<typeof callerOf>["calls"]; opinion: () => Decision | undefined | "none yet" } {
  const { calls, caller } = callerOf("https://login.example/mqtt")
  let opinion: Decision | undefined | "none yet" = "none yet"
  const rules = { timeout: 5000, cacheTime: 0, cacheEntries: 1, token: "THE-FIRST-LINE-OF-tokenFile" }
  const login = new HookLogin(caller, rules, {
    now: () => 0,
    chance: () => 1,
    random: (length) => new Uint8Array(length),
    limits: () => ({ atOnce: 1, waiting: 1, waitingPerAddress: 1 }),
    fault: () => undefined,
    warn: () => undefined,
  })
  const tls = {
    version: "1.3",
    suite: "TLS_AES_128_GCM_SHA256",
    group: "X25519MLKEM768",
    resumed: false,
    serverName: "mqtt.example",
  } as const
  const peer = { transport: "tls", address: "192.0.2.7:50412", tls, certificateIdentity: "sensor-7" } as const
  const attempt = {
    clientId: "sensor-7",
    username: "ann",
    password: encodeText("secret"),
    peer,
    abandoned: () => false,
  }
  login.ask(attempt, (given) => {
    opinion = given
  })
  return { calls, opinion: () => opinion }
}

function answered(name: string): Decision | undefined | "none yet" {
  const { calls, opinion } = ask()
  calls[0]?.done({ status: 200, body: encodeText(example(name)) })
  return opinion()
}

describe("docs/hooks.md", () => {
  it("has the question that is asked", () => expect(example("question")).toBe(ask().calls[0]?.text))

  it("has answers that are taken as it says", () => {
    const allowed = answered("allow")
    if (typeof allowed !== "object" || !("identity" in allowed)) throw new Error("not allowed")
    const { rights, ...identity } = allowed.identity
    expect(identity).toEqual({ user: "ann", source: "hook", expiresAt: 3_600_000 })
    expect([rights?.allows("write", "sensors/sensor-7/x"), rights?.allows("read", "commands/sensor-7")]).toEqual([
      true,
      true,
    ])
    expect([rights?.allows("write", "news/x"), rights?.allows("read", "commands/+")]).toEqual([false, false])
    expect(answered("deny")).toMatchObject({ reasonCode: 0x86, why: expect.stringContaining("reported stolen") })
    expect(answered("ignore")).toBeUndefined()
  })

  it("has the request of a webhook, and its signature by the key it names", () => {
    const { calls, caller } = callerOf("https://events.example/mqtt")
    const secret = "a secret of 24 characters"
    let pass = () => {}
    const options = { events: webhookEventNames, secret: encodeText(secret), timeout: 1, maximumWaiting: 100 }
    const webhook = new Webhook(caller, options, {
      now: () => 0,
      wall: () => Date.UTC(2026, 10, 29),
      chance: () => 1,
      runId: "8c1f0a5e6b7d2943",
      after: (_milliseconds, work) => {
        pass = work
        return () => undefined
      },
      warn: () => undefined,
      fault: () => undefined,
    })
    const peer = (last: number) => ({ transport: "tls", address: `192.0.2.${last}:${50_405 + last}` }) as const
    const events: LogEvent[] = [
      {
        event: "client connected",
        peer: peer(7),
        clientId: "sensor-7",
        user: "ann",
        mqtt: "5.0",
        cleanStart: true,
        sessionPresent: false,
        keepAlive: 60,
      },
      { event: "client refused", peer: peer(8), clientId: "sensor-8", user: "bob", reason: "wrong password" },
      {
        event: "tls failure",
        peer: peer(9).address,
        listener: "tls",
        fault: "client",
        alert: "protocol_version",
        reason: "the client offers TLS 1.2 only",
        milliseconds: 3,
      },
    ]
    for (const event of events) webhook.take(event)
    pass()
    expect(example("webhook")).toBe(calls[0]?.text)
    const body = example("webhook").split("\n\n")[1]
    const code = createHmac("sha256", secret)
      .update(`${Date.UTC(2026, 10, 29) / 1000}.${body}`)
      .digest("hex")
    expect(example("webhook")).toContain(`v1=${code}\n`)
  })
})
