import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  sign,
  verify,
} from "node:crypto"
import { describe, expect, it } from "vitest"
import type { RsaPrivateKey } from "../keys.ts"
import { sha256, sha384, sha512 } from "../noble/hash.ts"
import { hostRandom } from "../noble/index.ts"
import { generateRsaKey, isProbablePrime } from "./generate.ts"
import { rsaPkcs1 } from "./pkcs1.ts"
import { rsaPss } from "./pss.ts"

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")

function jwk(key: RsaPrivateKey) {
  return {
    kty: "RSA",
    n: base64url(key.modulus),
    e: base64url(key.exponent),
    d: base64url(key.privateExponent),
    p: base64url(key.prime1),
    q: base64url(key.prime2),
    dp: base64url(key.exponent1),
    dq: base64url(key.exponent2),
    qi: base64url(key.coefficient),
  }
}

function fromJwk(key: JsonWebKey): RsaPrivateKey {
  const bytes = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text!, "base64url"))
  return {
    type: "rsa",
    modulus: bytes(key.n),
    exponent: bytes(key.e),
    privateExponent: bytes(key.d),
    prime1: bytes(key.p),
    prime2: bytes(key.q),
    exponent1: bytes(key.dp),
    exponent2: bytes(key.dq),
    coefficient: bytes(key.qi),
  }
}

describe("RSA", () => {
  const key = generateRsaKey(2048, hostRandom)
  const message = new TextEncoder().encode("what is signed")
  const hosts = createPrivateKey({ key: jwk(key), format: "jwk" })

  it("FIPS 186-5 A.1: a generated key has 2048 bits and satisfies another implementation", () => {
    expect(hosts.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n })
    expect(key.modulus.length).toBe(256)
    expect(verify("sha256", message, createPublicKey(hosts), sign("sha256", message, hosts))).toBe(true)
  })

  for (const hash of [sha256, sha384, sha512]) {
    it(`RFC 8017 8.1: signs and verifies RSASSA-PSS with ${hash.name}, both ways with another implementation`, () => {
      const pss = rsaPss(hash)
      const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: hash.length }
      const ours = pss.sign(key, message, hostRandom)
      expect(verify(hash.name, message, { key: createPublicKey(hosts), ...options }, ours)).toBe(true)
      const theirs = new Uint8Array(sign(hash.name, message, { key: hosts, ...options }))
      expect(pss.verify(key, message, theirs)).toBe(true)
      theirs[10]! ^= 1
      expect(pss.verify(key, message, theirs)).toBe(false)
    })

    it(`RFC 8017 8.2: signs RSASSA-PKCS1-v1_5 with ${hash.name} as another implementation does`, () => {
      const ours = rsaPkcs1(hash).sign(key, message, hostRandom)
      expect(ours).toEqual(new Uint8Array(sign(hash.name, message, hosts)))
      expect(rsaPkcs1(hash).verify(key, message, ours)).toBe(true)
    })
  }

  it("RFC 8017 9.1.1: encodes for moduli of any number of bits, where the encoded message may be an octet shorter", () => {
    for (const modulusLength of [1024, 1025, 1031, 1032, 2047, 2049]) {
      const theirs = generateKeyPairSync("rsa", { modulusLength })
      const own = fromJwk(theirs.privateKey.export({ format: "jwk" }))
      for (const hash of modulusLength > 1040 ? [sha256, sha384, sha512] : [sha256, sha384]) {
        const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: hash.length }
        const ours = rsaPss(hash).sign(own, message, hostRandom)
        expect(verify(hash.name, message, { key: theirs.publicKey, ...options }, ours)).toBe(true)
        expect(
          rsaPss(hash).verify(own, message, sign(hash.name, message, { key: theirs.privateKey, ...options })),
        ).toBe(true)
        expect(rsaPkcs1(hash).verify(own, message, sign(hash.name, message, theirs.privateKey))).toBe(true)
      }
    }
  })

  it("RFC 8017 9.1.1: a modulus too small for hash and salt verifies nothing and cannot sign", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 })
    const small = fromJwk(privateKey.export({ format: "jwk" }))
    expect(rsaPss(sha512).verify(small, message, new Uint8Array(128).fill(1))).toBe(false)
    expect(() => rsaPss(sha512).sign(small, message, hostRandom)).toThrow(RangeError)
  })

  it("RFC 9846 4.3.3: the salt is as long as the hash; another length is refused", () => {
    for (const saltLength of [0, 20, 31, 33]) {
      const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
      expect(rsaPss(sha256).verify(key, message, sign("sha256", message, { key: hosts, ...options }))).toBe(false)
    }
  })

  it("RFC 4055 1.2: a key that names another hash, or a longer salt, verifies nothing", () => {
    const pss = rsaPss(sha256)
    const signature = pss.sign(key, message, hostRandom)
    const { modulus, exponent } = key
    const restricted = (hash: "sha256" | "sha384", minimumSaltLength: number) =>
      pss.verify({ type: "rsa-pss", modulus, exponent, pss: { hash, minimumSaltLength } }, message, signature)
    expect(restricted("sha256", 32)).toBe(true)
    expect(restricted("sha384", 32)).toBe(false)
    expect(restricted("sha256", 33)).toBe(false)
  })

  it("does not release a signature that does not verify (a fault in one half of the CRT)", () => {
    const exponent1 = key.exponent1.slice()
    exponent1[exponent1.length - 1]! ^= 2
    expect(() => rsaPss(sha256).sign({ ...key, exponent1 }, message, hostRandom)).toThrow("do not agree")
  })

  it("bounds the size of the modulus and of the public exponent", () => {
    const signature = new Uint8Array(256).fill(1)
    const check = (modulus: Uint8Array, exponent: Uint8Array) =>
      rsaPkcs1(sha256).verify({ type: "rsa", modulus, exponent }, message, signature)
    expect(check(new Uint8Array(1025).fill(0xff), Uint8Array.of(3))).toBe(false)
    expect(check(new Uint8Array(127).fill(0xff), Uint8Array.of(3))).toBe(false)
    expect(check(key.modulus, Uint8Array.of(3, 0, 0, 0, 1))).toBe(false)
    expect(check(key.modulus, Uint8Array.of(1))).toBe(false)
    expect(check(key.modulus, new Uint8Array(0))).toBe(false)
    expect(check(new Uint8Array(0), Uint8Array.of(3))).toBe(false)
  })

  it("tells primes from composites, Carmichael numbers and strong pseudoprimes among them", () => {
    for (const prime of [2n ** 127n - 1n, 2n ** 521n - 1n, 1_000_000_007n]) {
      expect(isProbablePrime(prime, hostRandom)).toBe(true)
    }
    for (const composite of [561n, 3_215_031_751n, 3_825_123_056_546_413_051n, (2n ** 127n - 1n) * (2n ** 61n - 1n)]) {
      expect(isProbablePrime(composite, hostRandom)).toBe(false)
    }
  })
})
