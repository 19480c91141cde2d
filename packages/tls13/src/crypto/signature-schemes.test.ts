import { describe, expect, it } from "vitest"
import type { PublicKey } from "./keys.ts"
import { schemeFitsKey, signatureSchemes } from "./signature-schemes.ts"

const rsa = (octets: number): PublicKey => ({
  type: "rsa",
  modulus: new Uint8Array(octets).fill(0xff),
  exponent: Uint8Array.of(1, 0, 1),
})
const fitting = (key: PublicKey) =>
  signatureSchemes.filter((scheme) => schemeFitsKey(scheme, key)).map(({ name }) => name)

describe("which schemes fit a key", () => {
  it("RFC 9846 4.3.3: a curve has one scheme", () => {
    expect(fitting({ type: "ec", curve: "P-384", point: new Uint8Array(97) })).toEqual(["ecdsa_secp384r1_sha384"])
  })

  it("RFC 8017 9.1.1: hash, salt and two octets must fit into the modulus", () => {
    expect(fitting(rsa(129))).toEqual(["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384"])
    expect(fitting(rsa(130))).toEqual(["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"])
  })
})
