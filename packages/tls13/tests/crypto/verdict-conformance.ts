import { p256, p384, p521 } from "@noble/curves/nist.js"
import { describe, expect, it } from "vitest"
import { concatBytes } from "../../src/bytes/concat.ts"
import type { EcCurve, PublicKey } from "../../src/crypto/keys.ts"
import { generateEcKey, publicKeyOf } from "../../src/crypto/noble/index.ts"
import { type ImmediateCryptoProvider, type ImmediateKeyExchange, InvalidKeyShare } from "../../src/crypto/provider.ts"
import { generateRsaKey } from "../../src/crypto/rsa/generate.ts"
import { bytesToInteger, integerToBytes } from "../../src/crypto/rsa/integers.ts"
import { derInteger, derSequence } from "../../src/x509/der/der-writer.ts"
import { hex } from "./wycheproof.ts"

// What providers could see differently and must not: encodings beside the right one, numbers that are only equal modulo
// something. Ed25519's are in eddsa-rules-conformance.ts.

const curves = [
  { ec: "P-256", group: "secp256r1", algorithm: "ecdsa_sha256", noble: p256, length: 32 },
  { ec: "P-384", group: "secp384r1", algorithm: "ecdsa_sha384", noble: p384, length: 48 },
  { ec: "P-521", group: "secp521r1", algorithm: "ecdsa_sha512", noble: p521, length: 66 },
] as const

export function verdictConformance(provider: ImmediateCryptoProvider): void {
  const { random } = provider
  const group = (name: string): ImmediateKeyExchange => provider.keyExchanges.find((each) => each.name === name)!

  describe(`${provider.name}: ECDSA (FIPS 186-5 section 6.4.2, strict DER)`, () => {
    for (const { ec, algorithm, noble } of curves) {
      it(`${ec}: one encoding of a signature, and r and s in 1..n-1`, { timeout: 60_000 }, () => {
        const { verify, sign } = provider.signatures.find(({ name }) => name === algorithm)!
        const key = generateEcKey(ec, random)
        const message = random(20)
        const n = noble.Point.Fn.ORDER
        const { r, s } = noble.Signature.fromBytes(sign(key, message, random), "der")
        const check = (signature: Uint8Array): boolean => verify(publicKeyOf(key), message, signature)
        const pair = (a: bigint, b: bigint): Uint8Array => derSequence(integer(a), integer(b))
        expect(check(pair(r, s))).toBe(true)
        // RFC 9846 has no rule of low S.
        expect(check(pair(r, n - s))).toBe(true)
        const wrong: Record<string, Uint8Array> = {
          "r = 0": pair(0n, s),
          "s = 0": pair(r, 0n),
          "r = s = 0": pair(0n, 0n),
          "r = n": pair(n, s),
          "s = n": pair(r, n),
          "r + n": pair(r + n, s),
          "s + n": pair(r, s + n),
          "r and s changed for each other": pair(s, r),
          "a zero in front of r": derSequence(padded(r), integer(s)),
          "a zero in front of s": derSequence(integer(r), padded(s)),
          "a negative r": derSequence(
            tlv(0x02, integerToBytes(r | (1n << BigInt(8 * byteLength(r) - 1)), byteLength(r))),
            integer(s),
          ),
          "bytes after the sequence": concatBytes(pair(r, s), Uint8Array.of(0)),
          "bytes inside of it": derSequence(integer(r), integer(s), Uint8Array.of(5, 0)),
          "a third integer": derSequence(integer(r), integer(s), integer(1n)),
          "no s": derSequence(integer(r)),
          "an empty r": derSequence(tlv(0x02, new Uint8Array(0)), integer(s)),
          "a length in more bytes than needed": longForm(pair(r, s)),
          "an indefinite length": concatBytes(Uint8Array.of(0x30, 0x80), integer(r), integer(s), new Uint8Array(2)),
          "a SET": concatBytes(Uint8Array.of(0x31), pair(r, s).subarray(1)),
          "P1363 instead of DER": concatBytes(integerToBytes(r, byteLength(n)), integerToBytes(s, byteLength(n))),
          nothing: new Uint8Array(0),
        }
        const accepted = Object.entries(wrong).filter(([, signature]) => check(signature))
        expect(accepted.map(([what]) => what)).toEqual([])
      })
    }

    it("SEC 1 2.3.4: a key's coordinates are below p: the same point with x + p or y + p is no key", () => {
      const { verify, sign } = provider.signatures.find(({ name }) => name === "ecdsa_sha512")!
      // P-521 leaves 7 bits of its bytes unused, so that every coordinate has a second form there.
      const key = generateEcKey("P-521", random)
      const { point } = publicKeyOf(key) as PublicKey & { type: "ec" }
      const message = random(20)
      const signature = sign(key, message, random)
      const check = (bytes: Uint8Array): boolean =>
        verify({ type: "ec", curve: "P-521" satisfies EcCurve, point: bytes }, message, signature)
      const [x, y] = [point.subarray(1, 67), point.subarray(67)]
      const p = p521.Point.Fp.ORDER
      const raised = (coordinate: Uint8Array): Uint8Array => integerToBytes(bytesToInteger(coordinate) + p, 66)
      const head = Uint8Array.of(4)
      expect(check(point)).toBe(true)
      expect(check(concatBytes(head, raised(x), y))).toBe(false)
      expect(check(concatBytes(head, x, raised(y)))).toBe(false)
    })
  })

  describe(`${provider.name}: key shares`, () => {
    for (const { group: name, noble, length } of curves) {
      it(`RFC 9846 4.3.8.2: ${name}: coordinates below p only`, () => {
        const p = noble.Point.Fp.ORDER
        // The point with the least x: there x + p fits its bytes.
        let x = 0n
        let y: bigint | undefined
        for (; y === undefined; x++) y = yOf(noble, x + 1n)
        const share = (a: bigint, b: bigint): Uint8Array =>
          concatBytes(Uint8Array.of(4), integerToBytes(a, length), integerToBytes(b, length))
        const started = group(name).start(random)
        expect(started.complete(share(x, y))).toHaveLength(length)
        expect(group(name).respond(share(x, y), random).secret).toHaveLength(length)
        expect(() => started.complete(share(x + p, y!))).toThrow(InvalidKeyShare)
        expect(() => group(name).respond(share(x + p, y!), random)).toThrow(InvalidKeyShare)
        expect(() => started.complete(share(x, p - y! + 1n))).toThrow(InvalidKeyShare)
      })
    }

    it("RFC 7748 5: x25519 takes u modulo p without its top bit; RFC 9846 7.4.2: and no u of small order in any form", () => {
      const p = 2n ** 255n - 19n
      const little = (value: bigint): Uint8Array => integerToBytes(value, 32).reverse()
      const secret = random(32)
      const complete = (u: bigint): Uint8Array =>
        group("x25519")
          .start(() => new Uint8Array(secret))
          .complete(little(u))
      for (const u of [2n, 3n, 9n, 16n]) {
        const wanted = complete(u)
        for (const form of [u + p, u + 2n ** 255n, u + p + 2n ** 255n]) expect(complete(form)).toEqual(wanted)
      }
      const orderEight = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      ].map((bytes) => bytesToInteger(hex(bytes).reverse()))
      for (const u of [0n, 1n, p - 1n, p, p + 1n, ...orderEight]) {
        for (const form of [u, u + 2n ** 255n]) {
          expect(() => complete(form), `${u}`).toThrow(InvalidKeyShare)
          expect(() => group("x25519").respond(little(form), random), `${u}`).toThrow(InvalidKeyShare)
        }
      }
    })
  })

  describe(`${provider.name}: RSA (RFC 8017 section 5.2.2)`, () => {
    it("a signature is below the modulus and as long as it: s + n is none, nor is s with a zero in front", {
      timeout: 60_000,
    }, () => {
      let key = generateRsaKey(2048, random)
      // Then s + n fits 256 bytes for one signature in ten or more.
      while (key.modulus[0]! >= 0xe6) key = generateRsaKey(2048, random)
      const n = bytesToInteger(key.modulus)
      for (const name of ["rsa_pss_sha256", "rsa_pkcs1_sha256"] as const) {
        const { verify, sign } = provider.signatures.find((each) => each.name === name)!
        const check = (message: Uint8Array, signature: Uint8Array): boolean =>
          verify(publicKeyOf(key), message, signature)
        let fitting = 0
        for (let i = 0; fitting < 2 && i < 300; i++) {
          const message = random(20)
          const signature = sign(key, message, random)
          const s = bytesToInteger(signature)
          expect(check(message, signature)).toBe(true)
          for (const value of [0n, 1n, n - 1n, n, n - s]) expect(check(message, integerToBytes(value, 256))).toBe(false)
          expect(check(message, concatBytes(Uint8Array.of(0), signature))).toBe(false)
          if (s + n >= 2n ** 2048n) continue
          fitting++
          expect(check(message, integerToBytes(s + n, 256))).toBe(false)
        }
        expect(fitting).toBe(2)
      }
    })
  })
}

type Curve = (typeof curves)[number]["noble"]

/** The even y of a point with this x, or undefined when there is none. */
function yOf({ Point }: Curve, x: bigint): bigint | undefined {
  try {
    return Point.fromBytes(concatBytes(Uint8Array.of(2), integerToBytes(x, Point.Fp.BYTES))).y
  } catch {
    return undefined
  }
}

function byteLength(value: bigint): number {
  return Math.ceil(value.toString(16).length / 2)
}

function integer(value: bigint): Uint8Array {
  return derInteger(integerToBytes(value, Math.max(1, byteLength(value))))
}

/** A zero more in front than DER wants. */
function padded(value: bigint): Uint8Array {
  return tlv(0x02, concatBytes(Uint8Array.of(0), integer(value).subarray(2)))
}

function tlv(tag: number, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(tag, content.length), content)
}

/** The same SEQUENCE with its length in one byte more. */
function longForm(sequence: Uint8Array): Uint8Array {
  const [head, length] = sequence[1]! < 0x80 ? [[0x30, 0x81], 1] : [[0x30, 0x82, 0], 2]
  return concatBytes(Uint8Array.from(head), sequence.subarray(length))
}
