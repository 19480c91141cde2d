// Signs CertificateVerify with a WebCrypto key, one that cannot be extracted for instance: the private key never enters this
// code. RFC 9846 section 4.5.2; https://www.w3.org/TR/webcrypto/. WebCrypto answers with promises, so the connection pauses.

import { Misuse } from "../../bytes/errors.ts"
import { Pause } from "../../bytes/pause.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { type SignatureSchemeInfo, signatureSchemes } from "../../crypto/signature-schemes.ts"
import { derInteger, derSequence } from "../../x509/der/der-writer.ts"
import type { Signer } from "../../x509/interfaces.ts"

/** What is used of a CryptoKey. */
export interface WebCryptoKey {
  readonly type: string
  readonly usages: readonly string[]
  readonly algorithm: { readonly name: string; readonly namedCurve?: string; readonly hash?: { readonly name: string } }
}

interface SignAlgorithm {
  readonly name: string
  readonly hash?: string
  readonly saltLength?: number
}

/** What is used of SubtleCrypto: `globalThis.crypto.subtle` of any runtime, or another implementation of it. */
export interface SubtleSigner<Key extends WebCryptoKey> {
  sign(algorithm: SignAlgorithm, key: Key, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>
}

export interface WebCryptoSigner {
  readonly signer: Signer
  /** Code points that the key can sign with: WebCrypto ties an RSA-PSS key to a hash. */
  readonly signatureSchemes: readonly number[]
}

/**
 * The signer of a private key, ECDSA on P-256, P-384 or P-521, Ed25519, or RSA-PSS: goes into a `Credential`.
 * @throws Misuse for a key that cannot sign for TLS 1.3
 */
export function webCryptoSigner<Key extends WebCryptoKey>(subtle: SubtleSigner<Key>, key: Key): WebCryptoSigner {
  if (key.type !== "private" || !key.usages.includes("sign")) {
    throw new Misuse(
      `a ${key.type} key that may ${key.usages.join(" and ") || "do nothing"}; a private key to sign with is needed`,
    )
  }
  const usable = signatureSchemes.filter((scheme) => !scheme.certificatesOnly && fits(scheme, key.algorithm))
  if (usable.length === 0) {
    const { name, namedCurve = "", hash } = key.algorithm
    throw new Misuse(
      `TLS 1.3 has no signature scheme for a key of ${[name, namedCurve, hash?.name].filter(Boolean).join(" ")}`,
    )
  }
  const signer: Signer = {
    sign: (scheme: SignatureSchemeInfo, message: Uint8Array, _: CryptoProvider) =>
      new Pause(sign(subtle, key, scheme, new Uint8Array(message))),
  }
  return { signer, signatureSchemes: usable.map(({ code }) => code) }
}

function fits(scheme: SignatureSchemeInfo, { name, namedCurve, hash }: WebCryptoKey["algorithm"]): boolean {
  if (name === "ECDSA") return scheme.curve !== undefined && scheme.curve === namedCurve
  if (name === "Ed25519") return scheme.algorithm === "ed25519"
  return (
    name === "RSA-PSS" && hash !== undefined && scheme.algorithm.startsWith("rsa_pss") && hashOf(scheme) === hash.name
  )
}

/** WebCrypto's name of the hash at the end of an algorithm's name: sha256 is SHA-256. */
function hashOf({ algorithm }: SignatureSchemeInfo): string {
  return `SHA-${algorithm.slice(-3)}`
}

async function sign<Key extends WebCryptoKey>(
  subtle: SubtleSigner<Key>,
  key: Key,
  scheme: SignatureSchemeInfo,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const signature = new Uint8Array(await subtle.sign(algorithmOf(scheme), key, message))
  return scheme.key === "ec" ? ecdsaSignatureToDer(signature) : signature
}

function algorithmOf(scheme: SignatureSchemeInfo): SignAlgorithm {
  if (scheme.algorithm === "ed25519") return { name: "Ed25519" }
  const hash = hashOf(scheme)
  // Section 4.3.3: "The length of the Salt MUST be equal to the length of the output of the digest algorithm."
  return scheme.key === "ec" ? { name: "ECDSA", hash } : { name: "RSA-PSS", saltLength: Number(hash.slice(4)) / 8 }
}

/** TLS wants the DER of ECDSA-Sig-Value (section 4.3.3); WebCrypto gives r and s at full length, one after the other (IEEE P1363). */
export function ecdsaSignatureToDer(p1363: Uint8Array): Uint8Array {
  const half = p1363.length / 2
  return derSequence(derInteger(p1363.subarray(0, half)), derInteger(p1363.subarray(half)))
}
