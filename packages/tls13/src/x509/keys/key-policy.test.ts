import { describe, expect, it } from "vitest"
import type { EcCurve, PublicKey } from "../../crypto/keys.ts"
import { signatureCost } from "./key-policy.ts"
import { octetKeys } from "./octet-keys.ts"

const ec = (curve: EcCurve): PublicKey => ({ type: "ec", curve, point: new Uint8Array(1) })
const rsa = (bits: number): PublicKey => {
  const modulus = new Uint8Array(bits / 8).fill(255)
  return { type: "rsa", modulus, exponent: Uint8Array.of(3) }
}
const octets = (label: string): PublicKey => {
  const { type, length } = octetKeys.find((each) => each.label === label)!
  return { type, bytes: new Uint8Array(length) }
}

describe("what a signature check costs, in P-256 checks", () => {
  it.each([
    ["P-256", ec("P-256"), 1],
    ["P-384", ec("P-384"), 3],
    ["P-521", ec("P-521"), 6],
    ["brainpoolP256r1", ec("brainpoolP256r1"), 1],
    ["brainpoolP384r1", ec("brainpoolP384r1"), 3],
    ["brainpoolP512r1", ec("brainpoolP512r1"), 6],
    ["Ed25519", octets("Ed25519"), 1],
    ["Ed448", octets("Ed448"), 3],
    ["ML-DSA-44", octets("ML-DSA-44"), 3],
    ["ML-DSA-87", octets("ML-DSA-87"), 3],
    ["RSA 2048", rsa(2048), 1],
    ["RSA 4096", rsa(4096), 1],
    ["RSA 4104", rsa(4104), 3],
    ["RSA 8192", rsa(8192), 3],
  ])("%s", (_, key, cost) => {
    expect(signatureCost(key)).toBe(cost)
  })
})
