// What peers choose, as far as it comes to a log, a terminal or a metric.

import { connect } from "node:net"
import { Duplex } from "node:stream"
import { ClientConnection, createClientConfig } from "@puremq/tls13"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { forTerminal } from "../cli/format/message-output.ts"
import { createBroker, type PureMqBroker } from "../platform/node.ts"
import type { HandshakeFailed } from "../ports/events.ts"
import { failureLabel } from "./handshake-counts.ts"
import { formatEvent, type LogEvent } from "./log.ts"
import { toOpenMetrics, toPrometheus } from "./metric-text.ts"
import { quoted, visible } from "./visible.ts"

const patience = 60_000
const made = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const events: LogEvent[] = []
let broker: PureMqBroker
let port = 0

beforeAll(async () => {
  const tls = { type: "tls", port: 0, cert: made.serverCert, key: made.serverKey } as const
  broker = createBroker({ listeners: [tls], sysInterval: 0, onEvent: (event) => events.push(event) })
  port = (await broker.listen())[0]?.port ?? 0
})
afterAll(() => broker.close())

const isFailure = (event: LogEvent): event is HandshakeFailed => event.event === "tls failure"
const alertRecord = (description: number): Uint8Array => Uint8Array.of(21, 3, 3, 0, 2, 2, description)

/** Sends records; `then` comes once the server has answered. */
async function send(first: Uint8Array, then?: Uint8Array): Promise<void> {
  const socket = connect(port, "127.0.0.1")
  socket.on("error", () => undefined)
  socket.write(first)
  if (then) socket.once("data", () => socket.write(then))
  socket.resume()
  await new Promise((resolve) => socket.once("close", resolve))
}

function clientHello(): Uint8Array {
  const verifier = { verify: () => ({ accepted: false, alert: "unknown_ca", reason: "x", message: "x" }) as const }
  const config = createClientConfig({ provider: createHostProvider(), serverName: "localhost", verifier })
  return new ClientConnection(config, Date.now()).start().output
}

describe("a client that does not trust the certificate", () => {
  it("RFC 9846 6.2: OpenSSL's alert in the clear is told by its name and in words", { timeout: patience }, async () => {
    await send(clientHello(), alertRecord(48))
    const failure = events.findLast(isFailure)
    expect(failure).toMatchObject({ fault: "client", alert: "unknown_ca" })
    expect(failure?.reason).toMatch(/the client does not trust our certificate: it knows no authority/)
    expect(failure?.reason).toMatch(/in the clear, so anybody on the path can have sent it/)
    expect(broker.stats().handshakeFailures["unknown_ca"]).toBe(1)
  })
})

describe("metrics", () => {
  it("every alert that no RFC names is one label", { timeout: patience }, async () => {
    for (let description = 0; description < 256; description++) await send(alertRecord(description))
    const failures = broker.stats().handshakeFailures
    expect(failures["other"]).toBeGreaterThan(200)
    expect(Object.keys(failures).length).toBeLessThan(45)
    for (const label of Object.keys(failures)) expect(label).toMatch(/^[a-z _]+$/)
  })

  it("failures without an alert are counted by kind, whatever their words", () => {
    const base = {
      event: "tls failure",
      peer: "",
      listener: "tls",
      alert: undefined,
      reason: "x",
      milliseconds: 1,
    } as const
    expect(failureLabel({ ...base, fault: "network" })).toBe("network")
    expect(failureLabel({ ...base, fault: "client" })).toBe("closed without an alert")
    expect(failureLabel({ ...base, fault: "client", limit: true })).toBe("x")
    expect(failureLabel({ ...base, fault: "client", alert: "alert(200)" })).toBe("other")
    expect(failureLabel({ ...base, fault: "client", alert: 'x"\n' })).toBe("other")
  })

  it("an alert after the handshake is one label", () => {
    for (let number = 0; number < 256; number++) {
      const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
      broker.attach(stream)
      stream.destroy(Object.assign(new Error("alert"), { code: `ERR_TLS_PEER_ALERT(${number})` }))
    }
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      const labels = Object.keys(broker.stats().disconnects).filter((label) => /alert/i.test(label))
      expect(labels).toEqual(["connection ended by a TLS alert of the client"])
    })
  })

  it("a client's Reason Code is one of MQTT's, whatever it sends", () => {
    const test = new TestBroker()
    for (let code = 0; code < 256; code++) {
      const client = test.connect({ clientId: `c${code}` })
      client.send([0xe0, 1, code])
    }
    const labels = [...test.broker.counters.disconnects.keys()]
    expect(labels.length).toBeLessThan(45)
    for (const label of labels) expect(label).not.toMatch(/0x/)
  })
})

/** One of each kind that must not arrive: controls, C1, separators, bidi, zero-width, and surrogates that are alone. */
const nasty = [
  ...Array.from({ length: 0x20 }, (_, i) => String.fromCharCode(i)),
  ...Array.from({ length: 0x21 }, (_, i) => String.fromCharCode(0x7f + i)),
  ..."\u2028\u2029\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff",
  "\ud800",
  "\udfff",
  "\u{e0001}",
]
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

describe("characters that cannot be seen", () => {
  it.each(nasty.map((each) => [JSON.stringify(each), each]))("%s reaches no log and no terminal", (_, character) => {
    const text = `a${character}b "c"`
    const peer = { transport: "tls", address: text, certificateProblem: text } as const
    const all: LogEvent[] = [
      { event: "client refused", peer, clientId: text, reason: text },
      { event: "client disconnected", peer, clientId: text, by: "client", reason: text },
      { event: "error", text },
      {
        event: "client connected",
        peer,
        clientId: text,
        user: text,
        mqtt: "5.0",
        cleanStart: true,
        sessionPresent: false,
        keepAlive: 1,
      },
      {
        event: "tls failure",
        peer: text,
        listener: "tls",
        fault: "client",
        alert: text,
        reason: text,
        milliseconds: 1,
      },
      {
        event: "tls handshake",
        peer: text,
        listener: "tls",
        offered: text,
        agreed: text,
        suite: text,
        group: text,
        resumed: false,
        identity: text,
        milliseconds: 1,
      },
    ]
    for (const event of all) {
      for (const format of ["text", "json"] as const) expect(formatEvent(event, format, 0)).not.toMatch(hidden)
      // JSON loses nothing.
      const back = JSON.parse(formatEvent(event, "json", 0))
      expect(back.clientId ?? back.text ?? back.reason ?? back.identity).toBe(text)
    }
    expect(visible(text)).not.toMatch(hidden)
    expect(JSON.parse(quoted(text))).toBe(text)
    const stats = { ...broker.stats(), disconnects: { [text]: 1 }, handshakeFailures: { [text]: 1 } }
    for (const line of `${toPrometheus(stats)}${toOpenMetrics(stats)}`.split("\n")) expect(line).not.toMatch(hidden)
    const shown = forTerminal(Buffer.from(text))
    expect(shown.replaceAll(/[\n\t]/g, "")).not.toMatch(hidden)
  })

  it("what can be seen stays as it is", () => {
    const text = "Zürich 東京 🙂 a\\u0041"
    expect(visible(text)).toBe(text)
  })
})
