import { describe, expect, it } from "vitest"
import { readTraces, type Step } from "../../tests/rfc8448-vectors.ts"
import { isAllZero } from "../bytes/equal.ts"
import { toHex } from "../bytes/hex.ts"
import { Reader } from "../bytes/reader.ts"
import { bytesToAscii } from "../bytes/text.ts"
import { TLS_AES_128_GCM_SHA256 as suite } from "../crypto/noble/index.ts"
import type { SecretName } from "../trace/events.ts"
import { EarlyStage, type HandshakeStage, type MainStage } from "./key-schedule.ts"
import { hkdfExpandLabel, hkdfExtract } from "./labels.ts"
import { finishedMac, resumptionPsk, trafficKeys, verifyFinished } from "./traffic.ts"
import { hashWith, Transcript } from "./transcript.ts"

// Every value of the traces, twice: each function with the arguments that the RFC gives, and the whole schedule from the
// handshake messages and the two input secrets alone.

const traces = readTraces()
const hash = suite.hash

describe.each(traces.map((trace) => [trace.section, trace.id, trace.steps] as const))(
  "RFC 8448 section %s, %s: each derivation by itself",
  (_section, _id, steps) => {
    it("RFC 9846 7.1: HKDF-Extract", () => {
      const extracts = steps.filter((step) => step.has("IKM"))
      expect(extracts).toHaveLength(3)
      for (const step of extracts) {
        expectBytes(hkdfExtract(hash, step.bytes("salt"), step.bytes("IKM")), step.bytes("secret"), step)
      }
    })

    it("RFC 9846 7.1: HKDF-Expand-Label, from the HkdfLabel that the trace shows", () => {
      const expansions = steps.filter((step) => step.has("expanded"))
      expect(expansions.length).toBeGreaterThanOrEqual(11)
      for (const step of expansions) {
        expectBytes(expandFromInfo(step.bytes("PRK"), step.bytes("info")), step.bytes("expanded"), step)
      }
    })

    it("RFC 9846 7.3: traffic keys", () => {
      const keys = steps.filter((step) => step.has("key expanded"))
      expect(keys.length).toBeGreaterThanOrEqual(4)
      for (const step of keys) {
        const { key, iv } = trafficKeys(suite, step.bytes("PRK"))
        expectBytes(key, step.bytes("key expanded"), step)
        expectBytes(iv, step.bytes("iv expanded"), step)
        expectBytes(expandFromInfo(step.bytes("PRK"), step.bytes("key info")), key, step)
        expectBytes(expandFromInfo(step.bytes("PRK"), step.bytes("iv info")), iv, step)
      }
    })
  },
)

describe("RFC 8448: the whole key schedule from the messages", () => {
  // The ticket of section 3 is used in section 4.
  let psk: Uint8Array | undefined
  for (const trace of traces) {
    it(`section ${trace.section}, ${trace.id}`, () => {
      const run = new Run(psk)
      for (const step of trace.steps) if (!step.sameAs) run.follow(step)
      psk = run.ticketPsk
      expect(run.checked).toMatchObject(trace.id === "resumed-0rtt" ? { binder: 1, early: 2 } : { binder: 0, early: 0 })
      expect(run.checked).toMatchObject({
        extract: 3,
        handshake: 2,
        application: 2,
        exporter: 1,
        resumption: 1,
        finished: 2,
      })
    })
  }
})

/** Follows a trace with the staged key schedule and compares at every step. */
class Run {
  readonly checked = {
    extract: 0,
    early: 0,
    binder: 0,
    handshake: 0,
    application: 0,
    exporter: 0,
    resumption: 0,
    finished: 0,
  }
  ticketPsk: Uint8Array | undefined
  readonly #psk: Uint8Array | undefined
  readonly #observed = new Map<SecretName, string>()
  #clientHello1: Uint8Array | undefined
  #transcript = new Transcript(hash)
  #early: EarlyStage | undefined
  #handshake: HandshakeStage | undefined
  #main: MainStage | undefined
  #secrets = new Map<string, Uint8Array>()

  constructor(psk: Uint8Array | undefined) {
    this.#psk = psk
  }

  follow(step: Step): void {
    const { label, actor } = step
    const th = this.#transcript.hash()
    if (label.startsWith("construct a")) this.#message(step, label.split(" ")[2]!)
    else if (label === "send handshake record") this.#clientHello(step)
    else if (label === 'extract secret "early"') {
      if (!isAllZero(step.bytes("IKM"))) expectBytes(this.#psk, step.bytes("IKM"), step)
      const psk = isAllZero(step.bytes("IKM")) ? undefined : this.#psk
      this.#early = EarlyStage.start(hash, psk, (name, secret) => this.#observed.set(name, toHex(secret)))
      this.#extracted("early_secret", step)
    } else if (label === 'extract secret "handshake"') {
      this.#handshake = this.#early!.toHandshake(step.bytes("IKM"))
      this.#extracted("handshake_secret", step)
    } else if (label === 'extract secret "master"') {
      this.#main = this.#handshake!.toMain()
      this.#extracted("main_secret", step)
    } else if (label === "calculate PSK binder") this.#binder(step)
    else if (label.startsWith("calculate finished")) {
      const verifyData = finishedMac(hash, this.#secrets.get(`${actor[0]} hs traffic`)!, th)
      expectBytes(verifyData, step.bytes("finished"), step)
      expect(verifyFinished(hash, step.bytes("PRK"), th, step.bytes("finished"))).toBe(true)
      this.checked.finished++
    } else if (label.includes("tls13 c e traffic"))
      this.#derived(step, "early", this.#early!.clientEarlyTrafficSecret(th))
    else if (label.includes("tls13 e exp master")) this.#derived(step, "early", this.#early!.earlyExporterSecret(th))
    else if (label.includes("tls13 c hs traffic")) {
      this.#derived(step, "handshake", this.#handshake!.clientHandshakeTrafficSecret(th))
    } else if (label.includes("tls13 s hs traffic")) {
      this.#derived(step, "handshake", this.#handshake!.serverHandshakeTrafficSecret(th))
    } else if (label.includes("tls13 c ap traffic")) {
      this.#derived(step, "application", this.#main!.clientApplicationTrafficSecret(th))
    } else if (label.includes("tls13 s ap traffic")) {
      this.#derived(step, "application", this.#main!.serverApplicationTrafficSecret(th))
    } else if (label.includes("tls13 exp master")) this.#derived(step, "exporter", this.#main!.exporterSecret(th))
    else if (label.includes("tls13 res master")) this.#derived(step, "resumption", this.#main!.resumptionSecret(th))
    else if (label.includes("tls13 resumption")) {
      // Its "hash" field is the ticket_nonce.
      this.ticketPsk = resumptionPsk(hash, this.#secrets.get("res master")!, step.bytes("hash"))
      expectBytes(this.ticketPsk, step.bytes("expanded"), step)
    }
  }

  #message(step: Step, name: string): void {
    // A ClientHello is added when it is sent (section 4 shows it without binders before), a ticket never.
    if (name === "ClientHello" || name === "NewSessionTicket") return
    const message = step.bytes(name)
    if (name === "ServerHello" && !this.#early) {
      this.#transcript = Transcript.afterHelloRetryRequest(hash, this.#clientHello1!)
    }
    this.#transcript.add(message)
  }

  #clientHello(step: Step): void {
    const message = step.bytes("payload")
    if (message[0] !== 1) return
    this.#clientHello1 ??= message
    this.#transcript.add(message)
  }

  #binder(step: Step): void {
    const prefixHash = hashWith(this.#transcript, step.bytes("ClientHello prefix"))
    expectBytes(prefixHash, step.bytes("binder hash"), step)
    const binderKey = this.#early!.binderKey("resumption")
    expectBytes(binderKey, step.bytes("PRK"), step)
    expect(this.#observed.get("binder_key")).toBe(toHex(binderKey))
    expectBytes(finishedMac(hash, binderKey, prefixHash), step.bytes("finished"), step)
    this.checked.binder++
  }

  #extracted(name: SecretName, step: Step): void {
    expect(this.#observed.get(name), step.label).toBe(toHex(step.bytes("secret")))
    this.checked.extract++
  }

  #derived(step: Step, what: keyof Run["checked"], secret: Uint8Array): void {
    expectBytes(this.#transcript.hash(), step.bytes("hash"), step)
    expectBytes(secret, step.bytes("expanded"), step)
    expect([...this.#observed.values()]).toContain(toHex(secret))
    this.#secrets.set(/"tls13 (.*)"/.exec(step.label)![1]!, secret)
    this.checked[what]++
  }
}

/** HKDF-Expand-Label with the length, label and context of an encoded HkdfLabel. */
function expandFromInfo(secret: Uint8Array, info: Uint8Array): Uint8Array {
  const reader = new Reader(info, "HkdfLabel")
  const length = reader.uint16()
  const label = bytesToAscii(reader.vector8("label", 7, 255))!
  const context = reader.vector8("context")
  reader.expectEnd()
  expect(label.startsWith("tls13 ")).toBe(true)
  return hkdfExpandLabel(hash, secret, label.slice("tls13 ".length), context, length)
}

function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array, step: Step): void {
  expect(actual && toHex(actual), `${step.actor}: ${step.label}`).toBe(toHex(expected))
}
