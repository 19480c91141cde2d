// Which keys are good enough, and checking one signature with one of them, counted against a budget.

import { atOnce } from "../../bytes/pause.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithm } from "../../crypto/provider.ts"
import { X509Error } from "../errors.ts"
import type { SignatureIdentifier } from "./algorithm.ts"
import { keyBits } from "./spki.ts"

/** RSA moduli beyond this cost more than any honest certificate is worth. */
const mostRsaBits = 8192

/** Why a key is not good enough for any profile: RSA under 2048 bits (CA/B Forum 6.1.5, NIST SP 800-57). */
export function keyProblem(key: PublicKey): X509Error | undefined {
  if (key.type !== "rsa" && key.type !== "rsa-pss") return undefined
  const bits = keyBits(key)
  if (bits < 2048) return new X509Error("weak_key", `its RSA key has ${bits} bits; at least 2048 are wanted`)
  if (bits > mostRsaBits)
    return new X509Error("unsupported_key", `its RSA key has ${bits} bits; at most ${mostRsaBits} are accepted`)
  const { exponent } = key
  const odd = (exponent[exponent.length - 1]! & 1) === 1
  if (!odd || (exponent.length === 1 && exponent[0]! < 3))
    return new X509Error("weak_key", "its RSA exponent is even or 1")
  if (exponent.length > 8) return new X509Error("unsupported_key", "its RSA exponent has more than 64 bits")
  return undefined
}

/**
 * What one check costs, in P-256 checks on the slowest provider. Each kind has bits of its own: EC and EdDSA 256 to 521, RSA 2048
 * to 8192, ML-DSA 10,496 and more.
 */
export function signatureCost(key: PublicKey): number {
  const bits = keyBits(key)
  if (bits < 1000) return bits === 256 ? 1 : bits < 500 ? 3 : 6
  return bits > 4096 ? 3 : 1
}

/** Bytes. */
const hashLengths = { sha256: 32, sha384: 48, sha512: 64 } as const

/** Why this stack cannot accept a signature of this kind by this key; undefined when it can be checked. */
export function signatureProblem(
  identifier: SignatureIdentifier,
  key: PublicKey,
  provider: CryptoProvider,
): X509Error | undefined {
  if (identifier.algorithm === undefined) {
    return identifier.problem === "weak_signature"
      ? new X509Error("weak_signature", `it is signed with ${identifier.label}, which can be forged`)
      : new X509Error("unsupported_signature", `it is signed with ${identifier.label}, which is not accepted`)
  }
  if (algorithmOf(identifier, key, provider) === undefined) {
    return new X509Error(
      "unsupported_signature",
      `it is signed with ${identifier.label}, which the crypto provider ${provider.name} does not have`,
    )
  }
  // An RSASSA-PSS key that restricts itself (RFC 4055 1.2): "the parameters in the signature MUST be identical to those in the
  // public key" (RFC 9846 4.3.3). Signatures that we accept have a salt of the hash's length.
  if (
    key.type === "rsa-pss" &&
    key.pss &&
    (identifier.algorithm !== `rsa_pss_${key.pss.hash}` || key.pss.minimumSaltLength !== hashLengths[key.pss.hash])
  ) {
    return new X509Error(
      "bad_signature",
      `it is signed with ${identifier.label}, which the issuer's key does not allow`,
    )
  }
  return undefined
}

/** The provider's algorithm: of ECDSA, the one that has the key's curve. */
export function algorithmOf(
  { algorithm }: SignatureIdentifier,
  key: PublicKey,
  provider: CryptoProvider,
): SignatureAlgorithm | undefined {
  const isBrainpool = key.type === "ec" && key.curve.startsWith("brainpool")
  const wanted = isBrainpool ? algorithm?.replace("ecdsa_", "ecdsa_brainpool_") : algorithm
  return provider.signatures.find(({ name }) => name === wanted)
}

/** Whether `signature` over `message` is right. */
export function verifySignature(
  identifier: SignatureIdentifier,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  provider: CryptoProvider,
): boolean {
  const algorithm = algorithmOf(identifier, key, provider)
  // A promise would pass for a yes.
  return atOnce("verify of the crypto provider", algorithm?.verify(key, message, signature)) ?? false
}
