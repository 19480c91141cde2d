// Encrypted Client Hello: both hellos beside each other, and who opens the inner one.

import { HpkeSuite } from "@puremq/tls13/hpke"
import { beforeAll, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import { engineTime, loadEngine } from "./engine.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const end = Number.POSITIVE_INFINITY
const play = (scenario: string) => engine.play({ scenario, provider: engine.fast(), seed: 7 })
const readers = (ech: ReturnType<typeof engine.echOf>, at = 0) =>
  engine.eyes.filter(({ id }) => engine.innerVerdict(ech, ech.hellos[at]!, id, end).reads).map(({ id }) => id)

it("shows what is hidden, and what is only named (RFC 9849 section 5.1)", () => {
  const { hellos } = engine.echOf(play("ech"), 0)
  expect(hellos).toHaveLength(1)
  const differing = hellos[0]!.rows.filter(({ how }) => how === "differs")
  expect(differing.map(({ name, outer, inner }) => [name, outer, inner])).toEqual([
    ["random", expect.any(String), expect.any(String)],
    ["server_name", "public.example", "broker.example"],
    ["application_layer_protocol_negotiation", undefined, "mqtt"],
    ["encrypted_client_hello", expect.stringMatching(/^outer: \d+ bytes$/), "inner: an empty mark"],
  ])
  const named = hellos[0]!.rows.filter(({ how }) => how === "named").map(({ name }) => name)
  expect(named).toEqual(hellos[0]!.packed?.named)
  expect(named).toContain("key_share")
  expect(named).not.toContain("server_name")
})

it("says of the payload what is in it: the server's key opens it, over the outer hello with zeros (section 5.2)", () => {
  const provider = engine.fast()
  const { config, privateKey } = engine.castOf(provider, 7).echKey("ECH key")
  const { extension, outer, payloadAt, packed } = engine.echOf(play("ech"), 0).hellos[0]!
  const suite = HpkeSuite.of(provider, { kem: 0x20, ...extension.suite })!
  const info = Uint8Array.from([...Buffer.from("tls ech\0"), ...config])
  const aad = Uint8Array.from(outer)
    .fill(0, payloadAt, payloadAt + extension.payload.length)
    .subarray(4)
  const context = suite.setupBaseR(extension.enc, suite.keyPairOf(privateKey), info)
  const encoded = context.open(aad, extension.payload)
  expect(encoded.length).toBe(packed!.length + packed!.padding)
  expect(encoded.length % 32).toBe(0)
  expect(encoded.subarray(packed!.length).every((byte) => byte === 0)).toBe(true)
  expect(encoded[packed!.length - 1]).not.toBe(0)
})

it("accepted: the two ends and a quantum computer have the name, and ServerHello says so (section 7.2)", () => {
  const ech = engine.echOf(play("ech"), 0)
  expect(readers(ech)).toEqual(["client", "server", "quantum"])
  expect(ech.signals.map(({ name, at, isRight }) => ({ name, at, isRight }))).toEqual([
    { name: "server_hello", at: 30, isRight: true },
  ])
  expect(ech.retry).toBeUndefined()
})

it("tells of the server what it has read so far", () => {
  const ech = engine.echOf(play("ech"), 0)
  const verdict = (step: number) => engine.innerVerdict(ech, ech.hellos[0]!, "server", step)
  expect(verdict(ech.hellos[0]!.step)).toMatchObject({ reads: false, why: "It has not read it yet." })
  expect(verdict(ech.openedAt[0]!).reads).toBe(true)
})

it("HelloRetryRequest: both hellos, the second without a key of its own, and two signals (sections 6.1.5, 7.2.1)", () => {
  const ech = engine.echOf(play("ech-retry"), 0)
  expect(ech.hellos.map(({ extension }) => extension.enc.length)).toEqual([32, 0])
  expect(readers(ech, 1)).toEqual(["client", "server", "quantum"])
  expect(ech.signals.map(({ name, isRight }) => ({ name, isRight }))).toEqual([
    { name: "hello_retry_request", isRight: true },
    { name: "server_hello", isRight: true },
  ])
})

it("rejected: the server opens nothing, says what to retry with, and opens the next (section 6.1.6)", () => {
  const timeline = play("ech-rejected")
  const [first, second] = [engine.echOf(timeline, 0), engine.echOf(timeline, 1)]
  expect(readers(first)).toEqual(["client", "quantum"])
  expect(engine.innerVerdict(first, first.hellos[0]!, "server", end).why).toMatch(/None of its keys opens it/)
  expect(first.signals.map(({ isRight }) => isRight)).toEqual([false])
  expect(first.retry?.configs.map(({ publicName }) => publicName)).toEqual(["public.example"])
  expect(readers(second)).toEqual(["client", "server", "quantum"])
  expect(second.hellos[0]!.extension.configId).toBe(first.retry?.configs[0]?.configId)
  expect(first.hellos[0]!.extension.configId).not.toBe(second.hellos[0]!.extension.configId)
})

it("made up: there is nothing to read, and a thief cannot tell (sections 6.2 and 10.10.4)", () => {
  const ech = engine.echOf(play("ech-grease"), 0)
  expect(ech.hellos[0]).toMatchObject({ inner: undefined, packed: undefined })
  expect(ech.hellos[0]!.extension.payload.length % 32).toBe(16)
  expect(readers(ech)).toEqual([])
  expect(ech.signals).toEqual([])
})

it("has nothing of it in another handshake", () => {
  expect(engine.echOf(play("full"), 0)).toMatchObject({ hellos: [], signals: [] })
})

it("Bytes: ClientHelloInner stands beside the ClientHello that it is in, with its fields", () => {
  const timeline = play("ech")
  for (const who of ["client", "server"]) {
    const at = timeline.steps.findIndex(
      ({ end: of, happening }) => of === who && happening.type === "message" && happening.name === "client_hello",
    )
    const [outer, inner] = engine.subjectAt(timeline, at)!.forms
    expect([outer!.title, inner!.title]).toEqual(["Message", "ClientHelloInner"])
    expect(inner!.fields.map(({ name }) => name)).toContain("random")
    expect(inner!.fields.at(-1)!.end).toBe(inner!.bytes.length)
  }
})
