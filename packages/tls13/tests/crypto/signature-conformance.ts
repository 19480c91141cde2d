import { describe, expect, it } from "vitest"
import type { EcCurve, PrivateKey, PublicKey } from "../../src/crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithm, SignatureAlgorithmName } from "../../src/crypto/provider.ts"
import { generateRsaKey } from "../../src/crypto/rsa/generate.ts"
import { brainpoolCurves, generateKey, nistCurves } from "./any-keys.ts"
import { mlDsaKeys, publicHalf } from "./ml-dsa-keys.ts"
import { expectAll, hex, runWycheproof, shortest, type WycheproofGroup, type WycheproofTest } from "./wycheproof.ts"

// What every provider's signature algorithms must do. In parts, so that test files can run side by side.

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
interface RsaGroup extends WycheproofGroup<SignatureTest> {
  readonly sha: string
  readonly mgfSha: string
  readonly sLen: number
  readonly publicKey: { readonly modulus: string; readonly publicExponent: string }
}

function algorithm(provider: CryptoProvider, name: SignatureAlgorithmName): SignatureAlgorithm {
  return provider.signatures.find((row) => row.name === name)!
}

/** @param curves those to test; another suite tests the ones that a provider takes from elsewhere */
export function ecdsaConformance(
  provider: CryptoProvider,
  curves: readonly EcCurve[] = ["P-256", "P-384", "P-521"],
): void {
  describe(`${provider.name}: Wycheproof ECDSA`, () => {
    for (const [curve, ec, hash, run] of [
      ["secp256r1", "P-256", "sha256", 484],
      ["secp256r1", "P-256", "sha512", 554],
      ["secp384r1", "P-384", "sha256", 472],
      ["secp384r1", "P-384", "sha384", 504],
      ["secp384r1", "P-384", "sha512", 542],
      ["secp521r1", "P-521", "sha512", 542],
    ] as const) {
      if (!curves.includes(ec)) continue
      it(`${ec} with ${hash}: ${run} cases`, { timeout: 120_000 }, () => {
        const ecdsa = algorithm(provider, `ecdsa_${hash}`)
        const tally = runWycheproof<EcdsaGroup, SignatureTest>(`ecdsa_${curve}_${hash}`, (group, test) => {
          const key: PublicKey = { type: "ec", curve: ec, point: hex(group.publicKey.uncompressed) }
          return ecdsa.verify(key, hex(test.msg), hex(test.sig))
        })
        expectAll(tally, run)
      })
    }
  })
}

export function eddsaConformance(provider: CryptoProvider): void {
  describe(`${provider.name}: Wycheproof Ed25519`, () => {
    it("ed25519: 151 cases", () => {
      const tally = runWycheproof<EddsaGroup, SignatureTest>("ed25519", (group, test) => {
        const key: PublicKey = { type: "ed25519", bytes: hex(group.publicKey.pk) }
        return algorithm(provider, "ed25519").verify(key, hex(test.msg), hex(test.sig))
      })
      expectAll(tally, 151)
    })

    it("RFC 8032 7.1, test 3: signs as the RFC does", () => {
      const seed = hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
      const signature = algorithm(provider, "ed25519").sign({ type: "ed25519", seed }, hex("af82"), provider.random)
      expect(signature).toEqual(
        hex(
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
      )
    })
  })
}

export function rsaPssConformance(provider: CryptoProvider): void {
  describe(`${provider.name}: Wycheproof RSASSA-PSS`, () => {
    for (const [file, hash, run] of [
      ["rsa_pss_2048_sha256_mgf1_32", "sha256", 108],
      ["rsa_pss_2048_sha384_mgf1_48", "sha384", 141],
      ["rsa_pss_3072_sha256_mgf1_32", "sha256", 108],
      ["rsa_pss_4096_sha256_mgf1_32", "sha256", 108],
      ["rsa_pss_4096_sha384_mgf1_48", "sha384", 141],
      ["rsa_pss_4096_sha512_mgf1_64", "sha512", 179],
    ] as const) {
      it(`${file}: ${run} cases`, () => {
        const tally = runWycheproof<RsaGroup, SignatureTest>(file, (group, test) =>
          algorithm(provider, `rsa_pss_${hash}`).verify(rsaKey(group, "rsa"), hex(test.msg), hex(test.sig)),
        )
        expectAll(tally, run)
      })
    }

    it("rsa_pss_2048_sha256_mgf1_32_params: 108 cases with a key that restricts itself", () => {
      const pss = { hash: "sha256", minimumSaltLength: 32 } as const
      const tally = runWycheproof<RsaGroup, SignatureTest>("rsa_pss_2048_sha256_mgf1_32_params", (group, test) => {
        const key: PublicKey = { ...rsaKey(group, "rsa-pss"), pss }
        expect(algorithm(provider, "rsa_pss_sha384").verify(key, hex(test.msg), hex(test.sig))).toBe(false)
        return algorithm(provider, "rsa_pss_sha256").verify(key, hex(test.msg), hex(test.sig))
      })
      expectAll(tally, 108)
    })

    it("rsa_pss_misc: of 150 valid cases exactly the 3 with TLS's parameters are accepted", () => {
      const accepted: string[] = []
      const tally = runWycheproof<RsaGroup, SignatureTest>("rsa_pss_misc", (group, test) => {
        for (const hash of ["sha256", "sha384", "sha512"] as const) {
          if (algorithm(provider, `rsa_pss_${hash}`).verify(rsaKey(group, "rsa"), hex(test.msg), hex(test.sig))) {
            accepted.push(`${group.sha} ${group.mgfSha} ${group.sLen} by ${hash}`)
          }
        }
        const length = { "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 }[group.sha]
        if (group.sha !== group.mgfSha || group.sLen !== length) return { skip: "parameters that TLS does not have" }
        return true
      })
      expect(tally).toEqual({ run: 3, skipped: { "parameters that TLS does not have": 147 }, differences: [] })
      expect(accepted).toEqual([
        "SHA-256 SHA-256 32 by sha256",
        "SHA-384 SHA-384 48 by sha384",
        "SHA-512 SHA-512 64 by sha512",
      ])
    })
  })
}

export function rsaPkcs1Conformance(provider: CryptoProvider): void {
  describe(`${provider.name}: Wycheproof RSASSA-PKCS1-v1_5`, () => {
    for (const [size, hash, run] of [
      [2048, "sha256", 259],
      [2048, "sha384", 258],
      [2048, "sha512", 259],
      [3072, "sha256", 259],
      [4096, "sha256", 258],
      [4096, "sha384", 259],
      [4096, "sha512", 259],
    ] as const) {
      it(`rsa_signature_${size}_${hash}: ${run} cases; the encoding without NULL is refused`, () => {
        const tally = runWycheproof<RsaGroup, SignatureTest>(`rsa_signature_${size}_${hash}`, (group, test) => {
          const key = rsaKey(group, "rsa")
          const accepted = algorithm(provider, `rsa_pkcs1_${hash}`).verify(key, hex(test.msg), hex(test.sig))
          if (test.result === "acceptable") expect(accepted).toBe(false)
          return accepted
        })
        expectAll(tally, run)
      })
    }
  })
}

function rsaKey(group: RsaGroup, type: "rsa" | "rsa-pss") {
  return {
    type,
    modulus: shortest(group.publicKey.modulus),
    exponent: shortest(group.publicKey.publicExponent),
  } as const
}

/** Signing, and what stays true of every algorithm. */
export function signingConformance(provider: CryptoProvider): void {
  const random = provider.random
  const rsa = generateRsaKey(2048, random)
  const keys: readonly PrivateKey[] = [
    ...[...nistCurves, ...brainpoolCurves, "ed25519" as const, "ed448" as const].map((kind) =>
      generateKey(kind, random),
    ),
    rsa,
    { ...rsa, type: "rsa-pss" },
    ...mlDsaKeys(provider),
  ]
  const nameOf = (key: PrivateKey): string => (key.type === "ec" ? key.curve : key.type)
  const fits = (name: string, key: PrivateKey): boolean => {
    if (key.type === "ec") {
      return name.startsWith(key.curve.startsWith("brainpool") ? "ecdsa_brainpool_" : "ecdsa_sha")
    }
    if (!("modulus" in key)) return name === key.type.replaceAll("-", "")
    return name.startsWith("rsa_pss") || (name.startsWith("rsa_pkcs1") && key.type === "rsa")
  }

  describe(`${provider.name}: signing`, () => {
    for (const scheme of provider.signatures) {
      it(`${scheme.name}: what it signs it verifies, and nothing else`, () => {
        for (const key of keys.filter((candidate) => fits(scheme.name, candidate))) {
          for (const length of [0, 1, 130, 5000]) {
            const message = random(length)
            const signature = scheme.sign(key, message, random)
            const own = publicHalf(key)
            expect(scheme.verify(own, message, signature), nameOf(key)).toBe(true)
            expect(scheme.verify(own, random(length + 1), signature)).toBe(false)
            const changed = signature.slice()
            changed[changed.length - 1]! ^= 1
            expect(scheme.verify(own, message, changed)).toBe(false)
            expect(scheme.verify(own, message, signature.subarray(0, -1))).toBe(false)
            expect(scheme.verify(own, message, Uint8Array.of(...signature, 0))).toBe(false)
            expect(scheme.verify(own, message, new Uint8Array(0))).toBe(false)
          }
        }
      })

      it(`${scheme.name}: a key of another type verifies nothing, and cannot sign`, () => {
        const message = random(20)
        const fitting = keys.find((key) => fits(scheme.name, key))!
        const signature = scheme.sign(fitting, message, random)
        for (const key of keys.filter((candidate) => !fits(scheme.name, candidate))) {
          expect(scheme.verify(publicHalf(key), message, signature)).toBe(false)
          expect(() => scheme.sign(key, message, random)).toThrow(RangeError)
        }
      })

      it(`${scheme.name}: is false, and no exception, for a malformed key`, () => {
        const message = random(20)
        for (const key of keys.filter((candidate) => fits(scheme.name, candidate))) {
          const signature = scheme.sign(key, message, random)
          for (const malformed of malformedKeys(publicHalf(key))) {
            expect(scheme.verify(malformed, message, signature)).toBe(false)
          }
        }
      })
    }

    it("a private key out of range is a RangeError", () => {
      for (const { name, sign } of provider.signatures) {
        const key = keys.find((candidate) => fits(name, candidate))!
        const { length } = key.type === "ec" ? key.secret : "modulus" in key ? key.prime1 : key.seed!
        const wrong: readonly PrivateKey[] =
          key.type === "ec"
            ? [new Uint8Array(length), new Uint8Array(length).fill(0xff), new Uint8Array(length - 1).fill(1)].map(
                (secret) => ({ ...key, secret }),
              )
            : "modulus" in key
              ? [{ ...key, prime1: key.prime1.slice(1) }]
              : [{ ...key, seed: new Uint8Array(length - 1) }]
        for (const each of wrong) expect(() => sign(each, random(3), random), name).toThrow(RangeError)
      }
    })
  })
}

function malformedKeys(key: PublicKey): PublicKey[] {
  // Of ML-DSA any bytes of the right length are a key.
  if ("bytes" in key && key.type.startsWith("ml-dsa")) {
    const bytes = [new Uint8Array(0), key.bytes.subarray(1), Uint8Array.of(...key.bytes, 0)]
    return bytes.map((each) => ({ ...key, bytes: each }))
  }
  if ("bytes" in key) {
    const { type, bytes } = key
    const { length } = bytes
    return [new Uint8Array(0), bytes.subarray(1), new Uint8Array(length), new Uint8Array(length).fill(0xff)].map(
      (bytes) => ({ type, bytes }),
    )
  }
  if (key.type === "ec") {
    const off = key.point.slice()
    off[off.length - 1]! ^= 1
    const length = (key.point.length - 1) / 2
    const compressed = key.point.slice(0, 1 + length)
    compressed[0] = 2 + (key.point[2 * length]! & 1)
    const hybrid = key.point.slice()
    hybrid[0] = 6 + (key.point[2 * length]! & 1)
    const zero = key.point.slice().fill(0, 1)
    return [off, compressed, hybrid, zero, key.point.subarray(0, -1), Uint8Array.of(0), new Uint8Array(0)].map(
      (point) => ({
        type: "ec",
        curve: key.curve,
        point,
      }),
    )
  }
  const even = key.modulus.slice()
  even[even.length - 1]! &= 0xfe
  return [
    { ...key, modulus: even },
    { ...key, modulus: new Uint8Array(0) },
    { ...key, modulus: key.modulus.subarray(0, 64) },
    { ...key, exponent: Uint8Array.of(1) },
    { ...key, exponent: new Uint8Array(0) },
    { ...key, exponent: Uint8Array.of(2) },
  ]
}
