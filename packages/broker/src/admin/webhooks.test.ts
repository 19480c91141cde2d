import { createHmac } from "node:crypto"
import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import type { HttpCall, HttpOutcome } from "../ports/http.ts"
import type { LogEvent } from "./log.ts"
import { type WebhookEventName, webhookEventNames } from "./webhook-events.ts"
import { batchEvents, maximumWaitingBytes, Webhook, type WebhookOptions } from "./webhooks.ts"

interface Sent {
  readonly headers: HttpCall["headers"]
  readonly text: string
  readonly body: {
    readonly dropped: number
    readonly batch: string
    readonly events: readonly Record<string, unknown>[]
  }
  readonly done: (outcome: HttpOutcome) => void
}

function world(options: Partial<WebhookOptions> = {}) {
  const sent: Sent[] = []
  const warnings: string[] = []
  const timers: { milliseconds: number; work: () => void }[] = []
  const clock = { now: 0 }
  let closed = 0
  const caller = {
    place: "https://hooks.example/puremq",
    call({ headers, body }: HttpCall, done: (outcome: HttpOutcome) => void) {
      const text = new TextDecoder().decode(body)
      sent.push({ headers, text, body: JSON.parse(text), done })
      return () => undefined
    },
    close: () => closed++,
  }
  const events: readonly WebhookEventName[] = webhookEventNames
  const webhook = new Webhook(
    caller,
    { events, secret: undefined, timeout: 1000, maximumWaiting: 100, ...options },
    {
      now: () => clock.now,
      wall: () => 1_800_000_000_000 + clock.now,
      chance: () => 1,
      runId: "run",
      after: (milliseconds, work) => {
        const timer = { milliseconds, work }
        timers.push(timer)
        return () => timers.splice(timers.indexOf(timer), 1)
      },
      warn: (text) => warnings.push(text),
      fault: (error) => {
        throw error
      },
    },
  )
  const pass = () => timers.splice(0).map(({ milliseconds, work }) => [milliseconds, work()][0])
  const ok = () => sent.at(-1)?.done({ status: 200, body: new Uint8Array(0) })
  const fail = (status: number) => sent.at(-1)?.done({ status, body: new Uint8Array(0) })
  return { webhook, sent, warnings, pass, ok, fail, clock, closed: () => closed }
}

const peer = { transport: "tls", address: "192.0.2.1:5000" } as const
const connected = (clientId: string, user = "ann"): LogEvent => ({
  event: "client connected",
  ...{ peer, clientId, user, mqtt: "5.0", cleanStart: true, sessionPresent: false, keepAlive: 60 },
})
const ids = (sent: Sent | undefined) => sent?.body.events.map(({ clientId }) => clientId)

describe("a webhook", () => {
  it("is told in batches, in order, one request at a time, with a name for each event and each batch", () => {
    const { webhook, sent, pass, ok } = world()
    webhook.take(connected("a"))
    webhook.take({ event: "client disconnected", peer, clientId: "a", by: "network", reason: "reset" })
    webhook.take({ event: "client refused", peer, clientId: "b", user: "eve", reason: "wrong password" })
    webhook.take({
      event: "tls failure",
      peer: "192.0.2.9:1",
      listener: "tls",
      fault: "client",
      alert: "protocol_version",
      reason: "TLS 1.2",
      milliseconds: 3,
    })
    webhook.take({ event: "reloaded", text: "nothing for webhooks" })
    expect(sent).toEqual([])
    expect(pass()).toEqual([100])
    expect(sent[0]?.body).toEqual({
      ...{ version: 1, batch: "run-batch-4-4", dropped: 0 },
      events: [
        {
          id: "run-1",
          time: "2027-01-15T08:00:00.000Z",
          event: "connect",
          clientId: "a",
          user: "ann",
          address: peer.address,
          transport: "tls",
          mqtt: "5.0",
          cleanStart: true,
          sessionPresent: false,
          keepAlive: 60,
        },
        {
          id: "run-2",
          time: expect.any(String),
          event: "disconnect",
          clientId: "a",
          address: peer.address,
          transport: "tls",
          by: "network",
          reason: "reset",
        },
        {
          id: "run-3",
          time: expect.any(String),
          event: "refused",
          clientId: "b",
          user: "eve",
          address: peer.address,
          transport: "tls",
          reason: "wrong password",
        },
        {
          id: "run-4",
          time: expect.any(String),
          event: "handshake-failure",
          address: "192.0.2.9:1",
          listener: "tls",
          fault: "client",
          alert: "protocol_version",
          reason: "TLS 1.2",
          milliseconds: 3,
        },
      ],
    })
    expect(sent[0]?.headers).toMatchObject({ "content-type": "application/json", "puremq-batch": "run-batch-4-4" })
    expect(sent[0]?.headers).not.toHaveProperty("puremq-signature")
    webhook.take(connected("c"))
    expect([pass(), sent.length]).toEqual([[], 1])
    ok()
    expect(sent.slice(1).map((one) => ids(one))).toEqual([["c"]])
    ok()
    expect(webhook.counts).toEqual({ delivered: 5, dropped: 0, refused: 0 })
  })

  it("is told of what it wants alone", () => {
    const { webhook, pass, sent } = world({ events: ["refused"] })
    webhook.take(connected("a"))
    webhook.take({ event: "client refused", peer, clientId: "b", reason: "no" })
    pass()
    expect(ids(sent[0])).toEqual(["b"])
  })

  it("finds a signature over time and body, which its secret alone can make, made anew for each try", () => {
    const { webhook, pass, sent, fail, clock } = world({ secret: encodeText("a secret of 24 characters") })
    webhook.take(connected("a"))
    pass()
    fail(500)
    clock.now += 5000
    pass()
    expect(sent.map(({ headers, text }) => [headers["puremq-signature"], text === sent[0]?.text])).toEqual(
      [1_800_000_000, 1_800_000_005].map((time) => {
        const code = createHmac("sha256", "a secret of 24 characters").update(`${time}.${sent[0]?.text}`).digest("hex")
        return [`t=${time},v1=${code}`, true]
      }),
    )
  })

  it.each<[string, HttpOutcome]>([
    ["that is not there", { failed: "the connection is refused", gone: true }],
    ["that has an error", { status: 500, body: new Uint8Array(0) }],
    ["that has too much to do", { status: 429, body: new Uint8Array(0) }],
    ["that is late", { failed: "no whole answer has come within 1000 ms", gone: false }],
  ])("%s is told the same again, after pauses that grow to a minute, and one line says so", (_name, outcome) => {
    const { webhook, pass, sent, ok, warnings } = world()
    webhook.take(connected("a"))
    pass()
    const pauses: unknown[] = []
    for (let i = 0; i < 8; i++) {
      webhook.take(connected(`b${i}`))
      sent.at(-1)?.done(outcome)
      pauses.push(...pass())
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    expect(new Set(sent.map(({ text }) => text)).size).toBe(1)
    ok()
    expect(ids(sent.at(-1))).toEqual(["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"])
    expect(warnings).toEqual([
      expect.stringMatching(/takes no events: .*; it is tried again$/),
      expect.stringMatching(/takes events again/),
    ])
  })

  it.each([301, 400, 401, 404, 410])(
    "that answers with %i gets no second try: the line says how many are lost",
    (status) => {
      const { webhook, pass, sent, fail, warnings } = world()
      webhook.take(connected("a"))
      pass()
      webhook.take(connected("b"))
      fail(status)
      expect(ids(sent.at(-1))).toEqual(["b"])
      expect([webhook.counts.refused, warnings]).toEqual([
        1,
        [expect.stringMatching(`refuses 1 events, .*status ${status}`)],
      ])
    },
  )

  it("that is behind loses the oldest, which is counted, told, and said in the next batch", () => {
    const { webhook, pass, sent, ok, warnings, clock } = world()
    for (let i = 0; i < 100; i++) webhook.take(connected(`c${i}`))
    expect(webhook.counts.dropped).toBe(0)
    webhook.take(connected("c100"))
    expect(webhook.counts.dropped).toBe(1)
    for (let i = 101; i < 150; i++) webhook.take(connected(`c${i}`))
    expect(warnings).toEqual([expect.stringMatching(/is behind: 1 events were dropped so far, as 100 wait already/)])
    clock.now += 60_000
    webhook.take(connected("c150"))
    expect(warnings).toHaveLength(2)
    pass()
    expect([sent[0]?.body.dropped, ids(sent[0])?.length, ids(sent[0])?.[0]]).toEqual([51, batchEvents, "c51"])
    ok()
    webhook.take(connected("d"))
    pass()
    expect([sent.at(-1)?.body.dropped, webhook.waiting]).toEqual([0, 1])
  })

  it("keeps 4 MiB of events at most, whatever their number, and batches are no longer than they have to be", () => {
    const { webhook, pass, sent, ok } = world({ maximumWaiting: 1_000_000 })
    const long = "u".repeat(60_000)
    const each =
      3 *
      JSON.stringify({
        id: "run-1",
        time: "2027-01-15T08:00:00.000Z",
        event: "connect",
        clientId: "c",
        user: long,
        address: peer.address,
        transport: "tls",
        mqtt: "5.0",
        cleanStart: true,
        sessionPresent: false,
        keepAlive: 60,
      }).length
    const fit = Math.floor(maximumWaitingBytes / each)
    for (let i = 0; i < fit; i++) webhook.take(connected("c", long))
    expect(webhook.counts.dropped).toBe(0)
    webhook.take(connected("c", long))
    expect(webhook.counts.dropped).toBe(1)
    pass()
    expect(sent[0]?.body.events).toHaveLength(1)
    ok()
    expect(sent).toHaveLength(2)
  })

  it("gets what waits when the broker closes, or one try fails", () => {
    for (const fails of [false, true]) {
      const { webhook, sent, ok, fail, closed } = world()
      for (let i = 0; i < 150; i++) webhook.take(connected(`c${i}`))
      let ended = 0
      webhook.end(() => ended++)
      webhook.take(connected("late"))
      expect([sent.length, ended]).toEqual([1, 0])
      if (fails) fail(500)
      else ok()
      expect([ended, closed(), sent.length, webhook.waiting]).toEqual(fails ? [1, 1, 1, 100] : [1, 1, 1, 0])
    }
  })
})
