import { createPublicKey, verify } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { PublicKey } from "../../src/crypto/keys.ts"
import { nobleEd448 } from "../../src/crypto/more/curves.ts"
import { createBrainpoolSignatures, createEd448 } from "../../src/crypto/more/index.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import type { CryptoProvider } from "../../src/crypto/provider.ts"
import { integerToBytes } from "../../src/crypto/rsa/integers.ts"
import { encodeSpki } from "../../src/x509/keys/spki.ts"
import { brainpoolCurves, generateKey, publicKeyOf } from "./any-keys.ts"
import { signatureBytes } from "./bytes-conformance.ts"
import { signingConformance } from "./signature-conformance.ts"
import { expectAll, hex, runWycheproof, type WycheproofGroup, type WycheproofTest } from "./wycheproof.ts"

// The signatures of crypto/more.

interface SignatureTest extends WycheproofTest {
  readonly msg: string
  readonly sig: string
}
interface EcdsaGroup extends WycheproofGroup<SignatureTest> {
  readonly publicKey: { readonly uncompressed: string }
}
interface EddsaGroup extends WycheproofGroup<SignatureTest> {
  readonly publicKey: { readonly pk: string }
}

const create = ({ random }: { readonly random?: CryptoProvider["random"] } = {}) => ({
  ...createNobleProvider(random && { random }),
  name: "more",
  signatures: [createEd448(), ...createBrainpoolSignatures()],
})
const provider = create()
const { random } = provider
const ed448 = createEd448()

signingConformance(provider)
describe("the caller's bytes are the caller's", () => {
  for (const algorithm of provider.signatures) signatureBytes(algorithm, provider, create)
})

describe("Ed448", () => {
  it("Wycheproof: 87 cases", () => {
    const tally = runWycheproof<EddsaGroup, SignatureTest>("ed448", (group, test) =>
      ed448.verify({ type: "ed448", bytes: hex(group.publicKey.pk) }, hex(test.msg), hex(test.sig)),
    )
    expectAll(tally, 87)
  })

  it.each([
    [
      "blank",
      "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
      "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
      "",
      "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600",
    ],
    [
      "1 octet",
      "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
      "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
      "03",
      "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00",
    ],
  ])("RFC 8032 7.4: %s", (_, seed, key, message, signature) => {
    const privateKey = { type: "ed448", seed: hex(seed) } as const
    expect(publicKeyOf(privateKey)).toEqual({ type: "ed448", bytes: hex(key) })
    expect(ed448.sign(privateKey, hex(message), random)).toEqual(hex(signature))
    expect(ed448.verify({ type: "ed448", bytes: hex(key) }, hex(message), hex(signature))).toBe(true)
  })

  it("signs what OpenSSL verifies", () => {
    const key = generateKey("ed448", random)
    const message = random(100)
    const theirs = createPublicKey({ key: Buffer.from(encodeSpki(publicKeyOf(key))), format: "der", type: "spki" })
    expect(verify(null, message, theirs, ed448.sign(key, message, random))).toBe(true)
  })

  it("RFC 8032 5.2.7, 8.4: S is below the order; one encoding of R and of A; no A of small order", () => {
    const { Point } = nobleEd448()
    const key = generateKey("ed448", random)
    const { bytes } = publicKeyOf(key) as PublicKey & { type: "ed448" }
    const message = random(20)
    const signature = ed448.sign(key, message, random)
    const check = (a: Uint8Array, sig: Uint8Array): boolean => ed448.verify({ type: "ed448", bytes: a }, message, sig)
    const little = (value: bigint): Uint8Array => integerToBytes(value, 57).reverse()
    const big = (part: Uint8Array): bigint => BigInt(`0x${Buffer.from(part).reverse().toString("hex")}`)
    expect(check(bytes, signature)).toBe(true)
    const s = big(signature.subarray(57))
    expect(check(bytes, Uint8Array.of(...signature.subarray(0, 57), ...little(s + Point.Fn.ORDER)))).toBe(false)
    const p = Point.Fp.ORDER
    // S = 0 and R = -k * A: with A = (0, 1) right for every message, had it not small order.
    const one = little(1n)
    expect(check(one, Uint8Array.of(...one, ...little(0n)))).toBe(false)
    // The same point as p + 1, and with a sign that its x, 0, has not.
    expect(check(little(1n + p), Uint8Array.of(...one, ...little(0n)))).toBe(false)
    const minus = one.slice()
    minus[56] = 0x80
    expect(check(minus, Uint8Array.of(...one, ...little(0n)))).toBe(false)
    // (0, -1) has order 2, (1, 0) and (-1, 0) have 4.
    for (const [a, sign] of [
      [little(p - 1n), 0],
      [little(0n), 0],
      [little(0n), 0x80],
    ] as const) {
      const point = a.slice()
      point[56]! |= sign
      for (const r of [one, little(p - 1n), little(0n), Uint8Array.of(...little(0n).subarray(1), 0x80)]) {
        expect(check(point, Uint8Array.of(...r, ...little(0n)))).toBe(false)
      }
    }
  })

  it("the equation has no cofactor: a part of order 4 in R is seen", () => {
    const { Point } = nobleEd448()
    const key = generateKey("ed448", random)
    const message = random(20)
    const signature = ed448.sign(key, message, random)
    const torsion = Point.fromBytes(new Uint8Array(57))
    const r = Point.fromBytes(signature.subarray(0, 57)).add(torsion).toBytes()
    expect(ed448.verify(publicKeyOf(key), message, Uint8Array.of(...r, ...signature.subarray(57)))).toBe(false)
  })
})

describe("ECDSA on the curves of RFC 5639", () => {
  it.each([
    ["brainpoolP256r1", "sha256", 485],
    ["brainpoolP384r1", "sha384", 516],
    ["brainpoolP512r1", "sha512", 559],
  ] as const)("Wycheproof %s with %s: %i cases", { timeout: 120_000 }, (curve, hash, run) => {
    const ecdsa = provider.signatures.find(({ name }) => name === `ecdsa_brainpool_${hash}`)!
    const tally = runWycheproof<EcdsaGroup, SignatureTest>(`ecdsa_${curve}_${hash}`, (group, test) =>
      ecdsa.verify({ type: "ec", curve, point: hex(group.publicKey.uncompressed) }, hex(test.msg), hex(test.sig)),
    )
    expectAll(tally, run)
  })

  it.each(brainpoolCurves)("%s: signs what OpenSSL verifies", (curve) => {
    const key = generateKey(curve, random)
    const message = random(100)
    const theirs = createPublicKey({ key: Buffer.from(encodeSpki(publicKeyOf(key))), format: "der", type: "spki" })
    for (const algorithm of createBrainpoolSignatures()) {
      const signature = algorithm.sign(key, message, random)
      expect(verify(algorithm.name.slice(-6), message, theirs, signature), algorithm.name).toBe(true)
    }
  })
})
