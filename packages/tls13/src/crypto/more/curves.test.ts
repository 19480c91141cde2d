// The parameters of these curves are noble's own, where it has them. Vectors, and OpenSSL's curves, are in tests/crypto.

import { ed448 as theirEd448, x448 as theirX448 } from "@noble/curves/ed448.js"
import { brainpoolP256r1, brainpoolP384r1, brainpoolP512r1 } from "@noble/curves/misc.js"
import { describe, expect, it } from "vitest"
import { nobleBrainpoolP256r1, nobleBrainpoolP384r1, nobleBrainpoolP512r1, nobleEd448, nobleX448 } from "./curves.ts"

describe("the curves of crypto/more", () => {
  it.each([
    ["brainpoolP256r1", nobleBrainpoolP256r1, brainpoolP256r1],
    ["brainpoolP384r1", nobleBrainpoolP384r1, brainpoolP384r1],
    ["brainpoolP512r1", nobleBrainpoolP512r1, brainpoolP512r1],
  ])("%s is noble's", (_, ours, noble) => {
    expect(ours().Point.CURVE()).toEqual(noble.Point.CURVE())
  })

  it("Ed448 is noble's, and decodes and signs as it does", () => {
    expect(nobleEd448().Point.CURVE()).toEqual(theirEd448.Point.CURVE())
    for (let i = 0; i < 8; i++) {
      const seed = new Uint8Array(57).fill(i)
      const key = theirEd448.getPublicKey(seed)
      expect(nobleEd448().getPublicKey(seed)).toEqual(key)
      expect(nobleEd448().Point.fromBytes(key).toBytes()).toEqual(key)
      expect(nobleEd448().sign(key, seed)).toEqual(theirEd448.sign(key, seed))
    }
  })

  it("X448 is noble's", () => {
    for (let i = 1; i < 16; i++) {
      const [secret, share] = [new Uint8Array(56).fill(i), new Uint8Array(56).fill(3 * i)]
      expect(nobleX448().getSharedSecret(secret, share)).toEqual(theirX448.getSharedSecret(secret, share))
      expect(nobleX448().getPublicKey(secret)).toEqual(theirX448.getPublicKey(secret))
    }
  })
})
