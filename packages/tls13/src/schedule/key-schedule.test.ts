import { describe, expect, it } from "vitest"
import { Misuse } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { sha256, sha384 } from "../crypto/noble/index.ts"
import { EarlyStage } from "./key-schedule.ts"
import { deriveSecret, emptyHash, hkdfExtract } from "./labels.ts"

// The values themselves are checked against RFC 8448 in rfc8448.test.ts; here is what its traces do not reach.

const psk = new Uint8Array(32).fill(7)
const shared = new Uint8Array(32).fill(9)
const th = sha256.digest(psk)

describe("RFC 9846 7.1: what the traces of RFC 8448 do not show", () => {
  it.each([
    ["external", "ext binder"],
    ["resumption", "res binder"],
    ["imported", "imp binder"],
  ] as const)("the binder label of a PSK that is %s (RFC 9258 5.2 for imported)", (kind, label) => {
    const early = hkdfExtract(sha256, new Uint8Array(32), psk)
    const expected = deriveSecret(sha256, early, label, emptyHash(sha256))
    expect(toHex(EarlyStage.start(sha256, psk).binderKey(kind))).toBe(toHex(expected))
  })

  it("psk_ke: a string of Hash.length zeros stands for the shared secret", () => {
    const withZeros = EarlyStage.start(sha256, psk).toHandshake(new Uint8Array(32))
    const without = EarlyStage.start(sha256, psk).toHandshake(undefined)
    expect(toHex(without.clientHandshakeTrafficSecret(th))).toBe(toHex(withZeros.clientHandshakeTrafficSecret(th)))
  })

  it("no PSK: a string of Hash.length zeros stands for it", () => {
    const without = EarlyStage.start(sha384, undefined)
    const withZeros = EarlyStage.start(sha384, new Uint8Array(48))
    const hash = sha384.digest(psk)
    expect(toHex(without.clientEarlyTrafficSecret(hash))).toBe(toHex(withZeros.clientEarlyTrafficSecret(hash)))
  })

  it("SHA-384: every secret has 48 bytes", () => {
    const hash = sha384.digest(psk)
    const handshake = EarlyStage.start(sha384, psk).toHandshake(shared)
    expect(handshake.serverHandshakeTrafficSecret(hash)).toHaveLength(48)
    const main = handshake.toMain()
    expect(main.exporterSecret(hash)).toHaveLength(48)
    expect(main.resumptionSecret(hash)).toHaveLength(48)
  })

  it("an observer is told every secret by its RFC name", () => {
    const told: string[] = []
    const early = EarlyStage.start(sha256, psk, (name, secret, generation) => {
      expect(secret).toHaveLength(32)
      expect(secret.some((byte) => byte !== 0)).toBe(true)
      expect(generation).toBe(0)
      told.push(name)
    })
    early.binderKey("external")
    early.clientEarlyTrafficSecret(th)
    early.earlyExporterSecret(th)
    const handshake = early.toHandshake(shared)
    handshake.clientHandshakeTrafficSecret(th)
    handshake.serverHandshakeTrafficSecret(th)
    const main = handshake.toMain()
    main.clientApplicationTrafficSecret(th)
    main.serverApplicationTrafficSecret(th)
    main.exporterSecret(th)
    main.resumptionSecret(th)
    expect(told).toEqual([
      "early_secret",
      "binder_key",
      "client_early_traffic_secret",
      "early_exporter_secret",
      "handshake_secret",
      "client_handshake_traffic_secret",
      "server_handshake_traffic_secret",
      "main_secret",
      "client_application_traffic_secret",
      "server_application_traffic_secret",
      "exporter_secret",
      "resumption_secret",
    ])
  })
})

describe("RFC 9846 7.1: a secret is erased once everything has been derived from it", () => {
  it("a stage that moved on is not used again", () => {
    const early = EarlyStage.start(sha256, psk)
    const handshake = early.toHandshake(shared)
    expect(() => early.binderKey("external")).toThrow(Misuse)
    expect(() => early.clientEarlyTrafficSecret(th)).toThrow("early_secret was erased")
    expect(() => early.toHandshake(shared)).toThrow(Misuse)
    const main = handshake.toMain()
    expect(() => handshake.clientHandshakeTrafficSecret(th)).toThrow("handshake_secret was erased")
    expect(() => handshake.toMain()).toThrow(Misuse)
    main.wipe()
    expect(() => main.resumptionSecret(th)).toThrow("main_secret was erased")
  })

  it("the Early Secret of a PSK that was not chosen can be erased", () => {
    const early = EarlyStage.start(sha256, psk)
    early.wipe()
    early.wipe()
    expect(() => early.binderKey("resumption")).toThrow(Misuse)
    const handshake = EarlyStage.start(sha256, psk).toHandshake(shared)
    handshake.wipe()
    expect(() => handshake.toMain()).toThrow(Misuse)
  })

  it("the secret that an observer saw is overwritten afterwards", () => {
    const views: Uint8Array[] = []
    EarlyStage.start(sha256, psk, (_name, secret) => views.push(secret))
      .toHandshake(shared)
      .toMain()
    expect(views.map(toHex)).toEqual(Array(3).fill("00".repeat(32)))
  })

  it("what a caller passed in stays his", () => {
    const mine = shared.slice()
    EarlyStage.start(sha256, psk).toHandshake(mine)
    expect(toHex(mine)).toBe(toHex(shared))
  })

  it("a transcript hash of another suite is refused", () => {
    expect(() => EarlyStage.start(sha256, psk).clientEarlyTrafficSecret(sha384.digest(psk))).toThrow("32 bytes, not 48")
  })
})
