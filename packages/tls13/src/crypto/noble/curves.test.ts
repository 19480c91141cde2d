// The parameters of our curves are noble's own, and its test vectors' (Wycheproof's are in tests/crypto).

import { ed25519 as theirEd25519, x25519 as theirX25519 } from "@noble/curves/ed25519.js"
import { p256 as their256, p384 as their384, p521 as their521 } from "@noble/curves/nist.js"
import { describe, expect, it } from "vitest"
import { nobleEd25519, nobleP256, nobleP384, nobleP521, nobleX25519 } from "./curves.ts"

describe("the curves of crypto/noble", () => {
  it.each([
    ["P-256", nobleP256, their256],
    ["P-384", nobleP384, their384],
    ["P-521", nobleP521, their521],
  ])("%s is noble's", (_, ours, noble) => {
    expect(ours().Point.CURVE()).toEqual(noble.Point.CURVE())
    expect(ours().lengths).toEqual(noble.lengths)
    const secret = new Uint8Array(noble.lengths.secretKey!).fill(1)
    expect(ours().getPublicKey(secret)).toEqual(noble.getPublicKey(secret))
  })

  it("Ed25519 is noble's, and decodes and signs as it does", () => {
    expect(nobleEd25519().Point.CURVE()).toEqual(theirEd25519.Point.CURVE())
    for (let i = 0; i < 32; i++) {
      const seed = new Uint8Array(32).fill(i)
      const key = theirEd25519.getPublicKey(seed)
      expect(nobleEd25519().getPublicKey(seed)).toEqual(key)
      expect(nobleEd25519().Point.fromBytes(key).toBytes()).toEqual(key)
      expect(nobleEd25519().sign(key, seed)).toEqual(theirEd25519.sign(key, seed))
    }
  })

  it("Ed25519 decodes what noble decodes, and nothing else", () => {
    for (let i = 0; i < 64; i++) {
      const bytes = Uint8Array.from({ length: 32 }, (_, at) => (i * 37 + at * 11) & 0x7f)
      const attempt = (curve: typeof theirEd25519) => {
        try {
          return curve.Point.fromBytes(bytes).toAffine()
        } catch {
          return "not a point"
        }
      }
      expect(attempt(nobleEd25519())).toEqual(attempt(theirEd25519))
    }
  })

  it("X25519 is noble's", () => {
    for (let i = 1; i < 64; i++) {
      const [secret, share] = [new Uint8Array(32).fill(i), new Uint8Array(32).fill(3 * i)]
      expect(nobleX25519().getSharedSecret(secret, share)).toEqual(theirX25519.getSharedSecret(secret, share))
      expect(nobleX25519().getPublicKey(secret)).toEqual(theirX25519.getPublicKey(secret))
    }
  })
})
