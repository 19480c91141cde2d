import { describe, expect, it } from "vitest"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import type { CryptoProvider } from "../../src/crypto/provider.ts"
import { HpkeAead, HpkeError, HpkeKdf, HpkeKem, type HpkeProvider, HpkeSuite } from "../../src/hpke/index.ts"
import { hpkeVectors } from "./vectors.ts"

const providers: readonly CryptoProvider[] = [
  createNobleProvider(),
  { ...createFastProvider({ webAssembly: "off" }), name: "fast in TypeScript" },
  { ...createFastProvider(), name: "fast in WebAssembly" },
  createHostProvider(),
]
const provider = createFastProvider()
const kems = [HpkeKem["DHKEM(X25519, HKDF-SHA256)"], HpkeKem["DHKEM(P-256, HKDF-SHA256)"]]
const ids = (kem: number, aead: number = HpkeAead["AES-128-GCM"]) => ({ kem, kdf: HpkeKdf["HKDF-SHA256"], aead })
const suiteOf = (kem: number, aead?: number, of: HpkeProvider = provider) => HpkeSuite.of(of, ids(kem, aead))!
const nothing = new Uint8Array(0)
const text = (of: string) => new TextEncoder().encode(of)

function kindOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return error instanceof HpkeError ? error.kind : String(error)
  }
  return "no error"
}

describe.each(providers)("RFC 9180 appendix A, with $name", (with_) => {
  describe.each(hpkeVectors)("$suite", (vector) => {
    const suite = HpkeSuite.of(with_, { kem: vector.kem_id, kdf: vector.kdf_id, aead: vector.aead_id })!
    const keyPair = suite.keyPairOf(fromHex(vector.skRm))

    it("section 7.1.3: the keys are derived from the key material", () => {
      const derived = suite.deriveKeyPair(fromHex(vector.ikmR))
      expect(toHex(derived.privateKey)).toBe(vector.skRm)
      expect(toHex(derived.publicKey)).toBe(vector.pkRm)
      expect(toHex(keyPair.publicKey)).toBe(vector.pkRm)
    })

    it("section 5.2: seals and opens what the RFC shows, up to the 257th message", () => {
      const info = fromHex(vector.info)
      const { enc, context } = suite.setupBaseS(keyPair.publicKey, info, () => fromHex(vector.skEm))
      expect(toHex(enc)).toBe(vector.enc)
      const recipient = suite.setupBaseR(enc, keyPair, info)
      let at = 0
      for (const { sequence_number, aad, pt, ct } of vector.encryptions) {
        for (; at < sequence_number; at++) recipient.open(nothing, context.seal(nothing, nothing))
        at++
        expect(toHex(context.seal(fromHex(aad), fromHex(pt)))).toBe(ct)
        expect(toHex(recipient.open(fromHex(aad), fromHex(ct)))).toBe(pt)
      }
    })

    it("section 5.3: exports what the RFC shows, at both ends", () => {
      const info = fromHex(vector.info)
      const { enc, context } = suite.setupBaseS(keyPair.publicKey, info, () => fromHex(vector.skEm))
      const recipient = suite.setupBaseR(enc, keyPair, info)
      for (const { exporter_context, L, exported_value } of vector.exports) {
        expect(toHex(context.export(fromHex(exporter_context), L))).toBe(exported_value)
        expect(toHex(recipient.export(fromHex(exporter_context), L))).toBe(exported_value)
      }
    })
  })
})

describe("a suite", () => {
  it("is one of base mode that the provider has, or none", () => {
    expect(HpkeSuite.of(provider, { kem: 0x0012, kdf: 1, aead: 1 })).toBeUndefined()
    expect(HpkeSuite.of(provider, { kem: 0x0020, kdf: 3, aead: 1 })).toBeUndefined()
    expect(HpkeSuite.of(provider, { kem: 0x0020, kdf: 1, aead: 0xffff })).toBeUndefined()
    expect(HpkeSuite.of({ ...provider, keyExchanges: [] }, ids(0x0020))).toBeUndefined()
    expect(HpkeSuite.of({ ...provider, cipherSuites: [] }, ids(0x0020))).toBeUndefined()
  })

  it.each(Object.entries(HpkeAead))("opens what it seals with %s, nothing at all included", (_, aead) => {
    for (const kem of kems) {
      const suite = suiteOf(kem, aead)
      const keyPair = suite.generateKeyPair()
      const { enc, context } = suite.setupBaseS(keyPair.publicKey, nothing)
      const recipient = suite.setupBaseR(enc, keyPair, nothing)
      for (const plaintext of [nothing, text("a"), new Uint8Array(5000)]) {
        const sealed = context.seal(text("aad"), plaintext)
        expect(sealed).toHaveLength(plaintext.length + suite.tagLength)
        expect(recipient.open(text("aad"), sealed)).toEqual(plaintext)
      }
    }
  })

  it("draws private keys until one is below the order of P-256", () => {
    const draws = [new Uint8Array(32).fill(0xff), new Uint8Array(32), new Uint8Array(32).fill(7)]
    const { privateKey } = suiteOf(0x0010).generateKeyPair(() => draws.shift()!)
    expect(privateKey).toEqual(new Uint8Array(32).fill(7))
    expect(draws).toHaveLength(0)
  })

  it("refuses its owner's private key of another length or beyond the order", () => {
    expect(() => suiteOf(0x0010).keyPairOf(new Uint8Array(31))).toThrow(
      "a private key of DHKEM(P-256, HKDF-SHA256) has 32 bytes, not 31",
    )
    for (const secret of [new Uint8Array(32), new Uint8Array(32).fill(0xff)])
      expect(() => suiteOf(0x0010).keyPairOf(secret)).toThrow("these bytes are no private key")
    expect(() => suiteOf(0x0020).keyPairOf(nothing)).toThrow("has 32 bytes, not 0")
  })

  it("keeps nothing of what it was lent", () => {
    const suite = suiteOf(0x0020)
    const lent = Buffer.from(suite.generateKeyPair().privateKey)
    const keyPair = suite.keyPairOf(lent)
    const kept = toHex(keyPair.privateKey)
    lent.fill(0)
    expect(toHex(keyPair.privateKey)).toBe(kept)
  })
})

describe("RFC 9180 section 7.1: keys of a peer", () => {
  const p256 = suiteOf(0x0010)
  const x25519 = suiteOf(0x0020)
  const point = (): Uint8Array => p256.generateKeyPair().publicKey
  const wrong: readonly [what: string, suite: HpkeSuite, key: Uint8Array, kind: string][] = [
    ["P-256: no bytes", p256, nothing, "DeserializeError"],
    ["P-256: cut short", p256, point().subarray(0, 64), "DeserializeError"],
    ["P-256: compressed", p256, new Uint8Array([2, ...point().subarray(1, 33)]), "DeserializeError"],
    ["P-256: hybrid form", p256, new Uint8Array([6, ...point().subarray(1)]), "DeserializeError"],
    ["P-256: infinity", p256, Uint8Array.of(0), "DeserializeError"],
    ["P-256: not on the curve", p256, new Uint8Array([4, ...new Uint8Array(63), 1]), "ValidationError"],
    [
      "P-256: coordinates beyond the field",
      p256,
      new Uint8Array([4, ...new Uint8Array(64).fill(255)]),
      "ValidationError",
    ],
    ["X25519: no bytes", x25519, nothing, "DeserializeError"],
    ["X25519: a byte too many", x25519, new Uint8Array(33).fill(9), "DeserializeError"],
    ["X25519: a point of small order", x25519, new Uint8Array(32), "ValidationError"],
  ]

  it.each(wrong)("%s", (_, suite, key, kind) => {
    expect(kindOf(() => suite.setupBaseS(key, nothing))).toBe(kind)
    expect(kindOf(() => suite.setupBaseR(key, suite.generateKeyPair(), nothing))).toBe(kind)
  })
})

describe("RFC 9180 section 5.2: a context", () => {
  function pairOf(suite: HpkeSuite) {
    const keyPair = suite.generateKeyPair()
    const { enc, context } = suite.setupBaseS(keyPair.publicKey, text("info"))
    return { sender: context, recipient: suite.setupBaseR(enc, keyPair, text("info")), enc, keyPair }
  }

  it("opens nothing that was changed, cut, moved or made for others, and then still what was due", () => {
    const suite = suiteOf(0x0020)
    const { sender, recipient, enc, keyPair } = pairOf(suite)
    const first = sender.seal(text("aad"), text("first"))
    const second = sender.seal(text("aad"), text("second"))
    const changed = new Uint8Array(first)
    changed[0]! ^= 1
    for (const [aad, sealed] of [
      ["aad", changed],
      ["aad", first.subarray(0, -1)],
      ["aad", first.subarray(0, 15)],
      ["aad", nothing],
      ["another", first],
      ["aad", second],
    ] as const)
      expect(kindOf(() => recipient.open(text(aad), sealed))).toBe("OpenError")
    expect(recipient.open(text("aad"), first)).toEqual(text("first"))
    expect(kindOf(() => recipient.open(text("aad"), first))).toBe("OpenError")
    expect(recipient.open(text("aad"), second)).toEqual(text("second"))
    const others = suite.setupBaseR(enc, keyPair, text("other info"))
    expect(kindOf(() => others.open(text("aad"), first))).toBe("OpenError")
  })

  it("ends at as many messages as a key of its cipher may protect", () => {
    const cipherSuites = provider.cipherSuites.map((suite) => ({
      ...suite,
      aead: { ...suite.aead, key: (key: Uint8Array) => suite.aead.key(key), confidentialityLimit: 2 },
    }))
    const { sender, recipient } = pairOf(suiteOf(0x0020, HpkeAead["AES-128-GCM"], { ...provider, cipherSuites }))
    for (let at = 0; at < 2; at++) recipient.open(nothing, sender.seal(nothing, nothing))
    expect(kindOf(() => sender.seal(nothing, nothing))).toBe("MessageLimitReachedError")
    expect(kindOf(() => recipient.open(nothing, new Uint8Array(16)))).toBe("MessageLimitReachedError")
    // Section 5.3: exporting goes on.
    expect(sender.export(nothing, 32)).toEqual(recipient.export(nothing, 32))
  })

  it("exports up to 255 blocks", () => {
    const { sender, recipient } = pairOf(suiteOf(0x0020))
    expect(sender.export(text("x"), 0)).toHaveLength(0)
    expect(sender.export(text("x"), 8160)).toEqual(recipient.export(text("x"), 8160))
    expect(() => sender.export(text("x"), 8161)).toThrow("0 to 8160 bytes; 8161 were asked for")
  })

  it("is of no use when it is wiped", () => {
    const { sender } = pairOf(suiteOf(0x0020))
    sender.wipe()
    expect(() => sender.seal(nothing, nothing)).toThrow("wiped")
  })
})
