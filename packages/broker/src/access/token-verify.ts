// JSON Web Tokens, checked by jose over the runtime's WebCrypto. Loaded when the first token comes.

import { type CryptoKey, errors, importJWK, type JWTPayload, jwtVerify } from "jose"
import type { VerificationKey } from "./jwk-set.ts"
import type { TokenChecks, TokenVerifier } from "./token-login.ts"

/** A key as WebCrypto has it, or why it cannot be used: its point is not on the curve, say. */
type Imported = CryptoKey | Uint8Array | string

export function createTokenVerifier(): TokenVerifier {
  const imported = new WeakMap<VerificationKey, Promise<Imported>>()
  const keyOf = (key: VerificationKey): Promise<Imported> => {
    let found = imported.get(key)
    if (found === undefined) {
      found = importJWK({ ...key.jwk }, key.algorithm).catch((error: unknown) => unusable(key, error))
      imported.set(key, found)
    }
    return found
  }
  return {
    async verify(token, key, checks) {
      const usable = await keyOf(key)
      if (typeof usable === "string") return usable
      try {
        return claimsOf((await jwtVerify(token, usable, optionsOf(key, checks))).payload)
      } catch (error) {
        if (error instanceof errors.JOSEError) return reasonOf(error)
        throw error
      }
    },
  }
}

function unusable({ algorithm, kid }: VerificationKey, error: unknown): string {
  return `the key ${JSON.stringify(kid ?? algorithm)} cannot be used: ${error instanceof Error ? error.message : String(error)}`
}

function optionsOf({ algorithm }: VerificationKey, { issuer, audience, leeway, requireExpiry, now }: TokenChecks) {
  return {
    algorithms: algorithm === "EdDSA" ? ["EdDSA", "Ed25519"] : [algorithm],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience: [...audience] }),
    clockTolerance: leeway,
    currentDate: new Date(now),
    ...(requireExpiry && { requiredClaims: ["exp"] }),
  }
}

function claimsOf(payload: JWTPayload): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(payload))
}

/** In a clause. */
function reasonOf(error: InstanceType<typeof errors.JOSEError>): string {
  if (error instanceof errors.JWTExpired) return "it has expired (exp)"
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature is wrong"
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error
    if (claim === "nbf" && reason === "check_failed") return "it is not valid yet (nbf)"
    if (reason === "missing") return `it has no claim ${claim}`
    return claim === "iss" || claim === "aud" ? `its ${claim} is another` : `its claim ${claim} cannot be used`
  }
  return error.message.replace(/\.$/, "")
}
