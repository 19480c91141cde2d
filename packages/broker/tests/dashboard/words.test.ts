// What the dashboard says, in words.

import { describe, expect, it } from "vitest"
import { brokersTime, hearClock } from "../../dashboard/src/api/clock.ts"
import { eventsIn } from "../../dashboard/src/api/event-stream.ts"
import { waysIn } from "../../dashboard/src/words/first-client.ts"
import { payloadAs, previewOf, usualLook } from "../../dashboard/src/words/payload.ts"
import { refusalText } from "../../dashboard/src/words/refusals.ts"
import type { BrokerModel, CertificateModel, HandshakeFailureModel, NodeModel } from "../../src/admin/http/model.ts"
import { droppedText } from "../../src/admin/words/bridges.ts"
import { countsBetween } from "../../src/admin/words/counts.ts"
import { explain } from "../../src/admin/words/failures.ts"
import { ago, bytes, count, duration, short, withoutPort } from "../../src/admin/words/format.ts"
import { nodesText } from "../../src/admin/words/nodes.ts"
import { numbersOf, pointOf } from "../../src/admin/words/numbers.ts"
import { shown } from "../../src/admin/words/sent.ts"
import { type Known, verdictOf } from "../../src/admin/words/verdict.ts"

const offer = { versions: ["TLSv1.3"], suites: ["TLS_AES_128_GCM_SHA256"], groups: ["x25519"], signatureSchemes: [] }
const failure: HandshakeFailureModel = {
  id: 1,
  at: "2026-01-01T00:00:00.000Z",
  peer: "10.0.0.7:40000",
  listener: "tls",
  fault: "client",
  reason: "no reason",
  milliseconds: 3,
  offer,
  turnedAway: false,
}

describe("why a handshake failed", () => {
  it.each<[string, Partial<HandshakeFailureModel>, string]>([
    [
      "TLS 1.2",
      { alert: "protocol_version", offer: { ...offer, versions: ["TLSv1.2"] } },
      "10.0.0.7 offered TLS 1.2 only; this broker speaks TLS 1.3.",
    ],
    [
      "older ones",
      { offer: { ...offer, versions: ["TLSv1.2", "TLSv1.1", "TLSv1"] } },
      "10.0.0.7 offered TLS 1.2, TLS 1.1 and TLS 1.0; this broker speaks TLS 1.3.",
    ],
    [
      "its trust",
      { alert: "unknown_ca", reason: "peer sent the alert unknown_ca" },
      "10.0.0.7 does not trust this broker's certificate.",
    ],
    [
      "its certificate",
      { alert: "certificate_required" },
      "10.0.0.7 shows no client certificate, and this listener asks for one.",
    ],
    [
      "a limit",
      { turnedAway: true, reason: "too many connections wait" },
      "10.0.0.7 was turned away before its handshake began: too many connections wait.",
    ],
    [
      "the network",
      { fault: "network", reason: "read ECONNRESET" },
      "10.0.0.7 went away in the middle of the handshake.",
    ],
    ["something else", { reason: "a record of\u202e 20,000 bytes" }, "10.0.0.7: a record of\\u202e 20,000 bytes."],
  ])("%s", (_, given, what) => {
    expect(explain({ ...failure, ...given }).what).toBe(what)
  })

  it("every reason that has a name says what to do", () => {
    const alerts = ["unrecognized_name", "no_application_protocol", "unknown_psk_identity", "handshake_failure"]
    for (const alert of alerts) expect(explain({ ...failure, alert }).advice, alert).toBeDefined()
  })
})

describe("is it well", () => {
  const now = Date.parse("2026-01-01T01:00:00.000Z")
  const broker: BrokerModel = {
    version: "0.1.0",
    runtime: "Node.js",
    startedAt: "2026-01-01T00:00:00.000Z",
    uptimeSeconds: 3600,
    health: "ok",
    connections: 2,
    clients: 2,
    sessions: 2,
    subscriptions: 0,
    retainedMessages: 0,
    clientsBy: { mqtt: {}, suite: {}, group: {} },
    postQuantum: { with: 0, without: 0 },
    limits: {},
    features: {},
  }
  const known: Known = {
    broker,
    numbers: undefined,
    earlier: undefined,
    lastPoint: undefined,
    certificates: undefined,
    bridges: undefined,
    nodes: undefined,
    failures: [],
    refusals: [],
    now,
  }
  const certificate: CertificateModel = {
    listener: "tls",
    role: "server",
    subject: "CN=a",
    issuer: "CN=b",
    names: [],
    serial: "01",
    notBefore: "2025-01-01T00:00:00.000Z",
    notAfter: "2026-02-01T00:00:00.000Z",
    daysLeft: 31,
    sha256: "00",
  }
  const withDays = (daysLeft: number) =>
    verdictOf({ ...known, certificates: { certificates: [{ ...certificate, daysLeft }], revocationLists: [] } })

  it("says so in one sentence", () => {
    expect(verdictOf(known)).toEqual({
      tone: "good",
      sentence: "All is well: 2 clients connected, up for 1 hour.",
      reasons: [],
    })
  })

  it("does not say that all is well of one that does not answer any more", () => {
    const lost = (seconds: number) => verdictOf({ ...known, now: now + seconds * 1000, lostSince: now })
    expect(lost(1)).toEqual({
      tone: "bad",
      sentence: "The broker does not answer: 2 clients were connected then.",
      reasons: [],
    })
    const failed = { ...failure, at: new Date(now - 60_000).toISOString() }
    const later = verdictOf({ ...known, failures: [failed], now: now + 600_000, lostSince: now })
    expect(later.sentence).toBe("The broker has not answered for 10 minutes: 2 clients were connected then.")
    expect(later.reasons).toHaveLength(1)
  })

  it.each([
    [31, "good"],
    [30, "look"],
    [8, "look"],
    [7, "bad"],
    [0, "bad"],
    [-1, "bad"],
  ] as const)("a certificate with %i days left is %s", (days, tone) => {
    expect(withDays(days).tone).toBe(tone)
  })

  it("a failed handshake is to be looked at for five minutes, and one that only knocked is not", () => {
    const at = (minutes: number) => new Date(now - minutes * 60_000).toISOString()
    const of = (given: Partial<HandshakeFailureModel>) =>
      verdictOf({ ...known, failures: [{ ...failure, ...given }] }).tone
    expect(of({ at: at(4) })).toBe("look")
    expect(of({ at: at(6) })).toBe("good")
    const { offer: _, ...without } = failure
    expect(verdictOf({ ...known, failures: [{ ...without, at: at(1) }] }).tone).toBe("good")
  })

  it("a bridge that is away is to be looked at, and says why and what waits; one that has only begun is not", () => {
    const bridge = {
      name: "far",
      address: "mqtts://far.example",
      connected: false,
      handedOn: { out: 0, in: 0 },
      dropped: { out: { "not authorized": 2 }, in: { "no rule": 1 } },
      waiting: 2,
      failures: 1,
      lastFailure: { at: "2026-01-01T00:59:00.000Z", reason: "connect ECONNREFUSED" },
    }
    expect(verdictOf({ ...known, bridges: [bridge] })).toMatchObject({
      tone: "look",
      reasons: [{ text: "The bridge far is not connected: connect ECONNREFUSED (2 messages waiting)." }],
    })
    expect(
      verdictOf({
        ...known,
        bridges: [
          { ...bridge, connected: true },
          { ...bridge, failures: 0 },
        ],
      }).tone,
    ).toBe("good")
    expect(droppedText(bridge.dropped)).toBe("out: 2 not authorized, in: 1 no rule")
  })

  it("a node that is gone is to be looked at, unless it was only started again", () => {
    const node: NodeModel = {
      id: "a1",
      name: "hall",
      state: "this",
      version: "0.1.0",
      startedAt: "2026-01-01T00:00:00.000Z",
      heardAt: "2026-01-01T01:00:00.000Z",
      clients: 3,
      sessions: 5,
      receivedPerSecond: 1.5,
      sentPerSecond: 0,
    }
    const gone = { ...node, id: "b1", name: "attic", state: "gone", clients: 1 } as const
    expect(verdictOf({ ...known, nodes: [node] }).tone).toBe("good")
    expect(verdictOf({ ...known, nodes: [node, gone] })).toMatchObject({
      tone: "look",
      reasons: [{ text: "The node attic is gone (it had 1 client): the others see to its sessions." }],
    })
    const later = { ...gone, id: "b2", heardAt: "2026-01-01T01:05:00.000Z" } as const
    expect(verdictOf({ ...known, nodes: [node, gone, { ...later, state: "there" }] }).tone).toBe("good")
    // It was stopped, by somebody who knows that.
    expect(verdictOf({ ...known, nodes: [node, { ...gone, state: "ended" }] }).tone).toBe("good")
    expect(verdictOf({ ...known, nodes: [node, gone, { ...later, state: "ended" }] }).tone).toBe("good")
    expect(verdictOf({ ...known, nodes: [node, { ...gone, state: "ended" }, later] }).reasons).toHaveLength(1)
    expect(verdictOf({ ...known, nodes: [node, gone, later] }).reasons).toHaveLength(1)
    expect(nodesText([node, gone])).toBe("1 node, 3 clients")
  })

  it("a broker that is not well says why first", () => {
    const { reasons } = verdictOf({ ...known, broker: { ...broker, health: "not ok", problem: "the disk is full" } })
    expect(reasons[0]).toMatchObject({ tone: "bad", text: "The broker is not well: the disk is full." })
  })
})

describe("numbers, sizes and times", () => {
  it("are what people read", () => {
    const thin = "\u202f"
    expect([0, 12, 1234, 1_234_567, 1.25, 12.34].map(count)).toEqual([
      "0",
      "12",
      `1${thin}234`,
      `1${thin}234${thin}567`,
      "1.25",
      "12.3",
    ])
    expect([0, 999, 9999, 12_345, 2_000_000].map(short)).toEqual([
      "0",
      "999",
      `9${thin}999`,
      `12.3${thin}k`,
      `2${thin}M`,
    ])
    expect([0, 999, 1500, 2_340_000].map(bytes)).toEqual([`0${thin}B`, `999${thin}B`, `1.5${thin}kB`, `2.34${thin}MB`])
    expect([0.00005, 0.0123, 1.5, 600, 90_000].map(duration)).toEqual([
      `50${thin}µs`,
      `12.3${thin}ms`,
      `1.5${thin}s`,
      `10${thin}min`,
      `25${thin}h`,
    ])
    expect([0, 3000, 61_000, 7_200_000].map((past) => ago(0, past))).toEqual([
      "just now",
      "just now",
      "1 minute ago",
      "2 hours ago",
    ])
    expect(ago(86_400_000 * 3, 0)).toBe("in 3 days")
    expect(["10.0.0.7:1883", "[::1]:5", "::1", "embedded"].map(withoutPort)).toEqual([
      "10.0.0.7",
      "::1",
      "::1",
      "embedded",
    ])
  })
})

describe("what peers sent", () => {
  it("is bounded, and each character of it is seen", () => {
    expect(shown("a\u202eb\u0000\n", 10)).toBe("a\\u202eb\\u0000\\u000a")
    expect(shown("x".repeat(500), 10)).toBe(`${"x".repeat(10)}…`)
    const [kind, peer, transport, clientId, reason] = [
      "login",
      "1.2.3.4:5",
      "tcp",
      "\u2066",
      "wrong [MQTT-3.1.4-2]",
    ] as const
    expect(refusalText({ id: 1, at: "", kind, peer, transport, clientId, reason })).toBe(
      "“\\u2066” was not let in: wrong.",
    )
  })

  it("as text, JSON or bytes", () => {
    const of = (text: string) => new TextEncoder().encode(text)
    expect(payloadAs(of('{"a":[1]}'), "json")).toBe('{\n  "a": [\n    1\n  ]\n}')
    expect(payloadAs(of("no"), "json")).toBe(undefined)
    expect(payloadAs(Uint8Array.of(0xff), "text")).toBe(undefined)
    expect(payloadAs(of("a\tb\u202e\n"), "text")).toBe("a\tb\\u202e\n")
    expect(payloadAs(of("0123456789abcdefg"), "hex")?.split("\n")).toEqual([
      "000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef",
      "000010  67                                                g",
    ])
    expect([of("x"), of("[1]"), Uint8Array.of(0xc3)].map(usualLook)).toEqual(["text", "json", "hex"])
    // A character that the end of a part has cut.
    expect(previewOf(of(`${"a".repeat(191)}é`), 48)).toBe(`${"a".repeat(48)}…`)
    expect(previewOf(Uint8Array.of(0xff, 1), 48)).toBe("ff 01")
  })
})

describe("the first client", () => {
  it("has a command for each listener, with what that asks for", () => {
    const about = { clients: 0 }
    const [plain, secure, web] = waysIn(
      [
        { ...about, name: "tcp", type: "tcp", host: "0.0.0.0", port: 1883 },
        {
          ...about,
          name: "tls",
          type: "tls",
          host: "10.0.0.1",
          port: 8883,
          tls: { clientCertificate: "required", pending: 0, waiting: 0, waitingBytes: 0 },
        },
        { ...about, name: "ws", type: "ws", host: "::", port: 8083 },
        { ...about, name: "admin", type: "admin", host: "127.0.0.1", port: 9000 },
      ],
      "broker.example",
    )
    expect(plain?.commands[0]?.text).toBe("mosquitto_pub -h broker.example -p 1883 -t demo/hello -m hello -r")
    expect(secure?.commands[0]?.text).toContain(
      "-h 10.0.0.1 -p 8883 --cafile ca.pem --cert client.pem --key client-key.pem",
    )
    expect(web?.commands.map(({ tool }) => tool)).toEqual(["MQTT.js"])
    expect(web?.commands[0]?.text).toContain('connectAsync("ws://broker.example:8083")')
  })
})

describe("between two readings of the metrics", () => {
  it("rates are of a second, and shares of what came between", () => {
    const timings = (counts: readonly number[]) => ({ timings: { delivery: { bounds: [0.001, 0.01], counts } } })
    const before = numbersOf({ publishReceived: 100, ...timings([5, 0, 0]) }, 1000)
    const after = numbersOf({ publishReceived: 300, ...timings([5, 10, 0]) }, 3000)
    const { values } = pointOf(after, before)
    expect(values["publishReceived"]).toBe(100)
    expect(values["delivery50"]).toBeCloseTo(0.0055)
    expect(values["commit50"]).toBe(null)
    expect(countsBetween([], [])).toBe(undefined)
  })
})

describe("server-sent events", () => {
  it("are read however their bytes are cut, and what is too long is left out", async () => {
    const text = `: hello\n\nid: 1\nevent: x\ndata: {"a":"é"}\n\ndata: one\ndata: two\r\n\r\nid: 2\n\n`
    for (const size of [1, 3, 1000]) {
      const whole = new TextEncoder().encode(text)
      const parts = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.subarray(at * size, (at + 1) * size),
      )
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const part of parts) controller.enqueue(part)
          controller.close()
        },
      })
      const all: string[] = []
      for await (const data of eventsIn(stream)) all.push(data)
      expect(all, `${size} at a time`).toEqual(['{"a":"é"}', "one\ntwo"])
    }
  })

  it("end when nothing comes any more, though nobody has said so", { timeout: 5000 }, async () => {
    let cancelled = false
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("data: one\n\n")),
      cancel: () => {
        cancelled = true
      },
    })
    const all: string[] = []
    for await (const data of eventsIn(stream, 50)) all.push(data)
    expect([all, cancelled]).toEqual([["one"], true])
  })
})

describe("the broker's clock", () => {
  it("is that of its answers where the two differ by more than answers take, and goes on from there", () => {
    const now = Date.UTC(2026, 10, 30, 12, 0, 0)
    const at = (milliseconds: number) => new Date(now + milliseconds).toUTCString()
    hearClock(at(-1000), now)
    expect(brokersTime(now)).toBe(now)
    hearClock(at(600_000), now)
    expect(brokersTime(now + 5000)).toBe(now + 605_500)
    hearClock(at(601_000), now)
    hearClock(null, now)
    hearClock("nonsense", now)
    expect(brokersTime(now)).toBe(now + 600_500)
    hearClock(at(0), now)
    expect(brokersTime(now)).toBe(now)
  })
})
