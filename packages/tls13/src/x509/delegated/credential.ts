// DelegatedCredential (RFC 9345 section 4): what the key of a certificate signs for another key, for some days.

import { concatBytes } from "../../bytes/concat.ts"
import { Reader } from "../../bytes/reader.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import { Writer } from "../../bytes/writer.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import {
  type SignatureSchemeInfo,
  schemeFitsKey,
  signatureScheme,
  signatureSchemes,
} from "../../crypto/signature-schemes.ts"
import type { Certificate } from "../certificate/certificate.ts"
import * as KeyUsage from "../certificate/key-usage.ts"
import { hasDelegationUsage } from "../certificate/other-extensions.ts"
import * as Oid from "../der/oids.ts"
import { attempt, X509Error } from "../errors.ts"
import { keyProblem } from "../keys/key-policy.ts"
import { encodeSpki, parseSpki } from "../keys/spki.ts"

/** The context string says whose credential it is, so that a server's is none for a client. */
export type DelegationRole = "server" | "client"

/** Milliseconds: section 4.1.3, "the maximum validity period (7 days by default)". */
export const longestValidity: number = 7 * 24 * 3_600_000

export interface DelegatedCredential {
  /** Seconds after the notBefore of the certificate: the last one in which it is valid. */
  readonly validTime: number
  /** dc_cert_verify_algorithm, a code point: in which its key signs CertificateVerify. */
  readonly scheme: number
  /** The key, or why it cannot be used. */
  readonly publicKey: PublicKey | X509Error
  /** A code point: the scheme of `signature`. */
  readonly algorithm: number
  /** By the certificate's key, over `signedContent`. */
  readonly signature: Uint8Array
  /** Credential and algorithm, as they are signed. */
  readonly signed: Uint8Array
}

/** @returns views into `bytes`. @throws InvalidMessage decode_error */
export function decodeDelegatedCredential(bytes: Uint8Array): DelegatedCredential {
  const reader = new Reader(bytes, "DelegatedCredential")
  const validTime = reader.uint32()
  const scheme = reader.uint16()
  const spki = reader.vector24("ASN1_subjectPublicKeyInfo", 1)
  const algorithm = reader.uint16()
  const signed = bytes.subarray(0, reader.position)
  const signature = reader.vector16("signature", 1)
  reader.expectEnd()
  return { validTime, scheme, publicKey: attempt(() => parseSpki(spki)), algorithm, signature, signed }
}

/** Credential and algorithm: all but the signature. */
export function encodeCredential(
  validTime: number,
  scheme: number,
  publicKey: PublicKey,
  algorithm: number,
): Uint8Array {
  return new Writer().uint32(validTime).uint16(scheme).vector24(encodeSpki(publicKey)).uint16(algorithm).finish()
}

/** @param signed Credential and algorithm */
export function encodeDelegatedCredential(signed: Uint8Array, signature: Uint8Array): Uint8Array {
  return new Writer().bytes(signed).vector16(signature).finish()
}

/** What the certificate's key signs: section 4. @param leaf DER @param signed Credential and algorithm */
export function signedContent(role: DelegationRole, leaf: Uint8Array, signed: Uint8Array): Uint8Array {
  const context = asciiToBytes(`TLS, ${role} delegated credentials\0`)
  return concatBytes(new Uint8Array(64).fill(0x20), context, leaf, signed)
}

/**
 * A scheme that such a key may have, and not of RSA without RSASSA-PSS: "the public key MUST NOT use the rsaEncryption OID"
 * (section 4).
 */
export function isDelegable({ key, certificatesOnly }: SignatureSchemeInfo): boolean {
  return key !== "rsa" && certificatesOnly !== true
}

/** The usual scheme of a key: the first that it can have. @throws X509Error for a key that can have none */
export function delegableScheme(key: PublicKey): SignatureSchemeInfo {
  const found = signatureSchemes.find((scheme) => isDelegable(scheme) && schemeFitsKey(scheme, key))
  if (found !== undefined) return found
  throw new X509Error(
    "unsupported_key",
    "an rsaEncryption key cannot have a delegated credential (RFC 9345 section 4); take an EC, Ed25519 or RSASSA-PSS key",
  )
}

/** Why a certificate may not delegate (section 4.2). */
export function delegationProblem({ extensions }: Certificate): string | undefined {
  const { critical, keyUsage = 0 } = extensions
  const usage = attempt(() => hasDelegationUsage(extensions))
  if (usage instanceof X509Error) return `the certificate's DelegationUsage extension cannot be read: ${usage.message}`
  if (!usage) return "the certificate has no DelegationUsage extension, so its key may not delegate"
  // "The extension MUST be marked non-critical."
  if (critical.includes(Oid.delegationUsage))
    return "the certificate's DelegationUsage extension is critical, which it must not be"
  // It has the digitalSignature KeyUsage, which one without the extension has not.
  if ((keyUsage & KeyUsage.digitalSignature) === 0) return "the certificate's key usage has no digitalSignature"
  return undefined
}

/** The end of its validity, in milliseconds since 1970. */
export function validUntil({ notBefore }: Certificate, validTime: number): number {
  return notBefore + validTime * 1000
}

/**
 * What is wrong with it but for its signature, which is checked last: sections 4 and 4.1.3.
 * @param now milliseconds since 1970
 * @param longest milliseconds that it may be valid from now on
 */
export function credentialProblem(
  { validTime, scheme: code, publicKey, algorithm }: DelegatedCredential,
  leaf: Certificate,
  now: number,
  longest: number,
): string | undefined {
  const delegation = delegationProblem(leaf)
  if (delegation !== undefined) return delegation
  const expiry = validUntil(leaf, validTime)
  if (now > expiry) return "it has expired"
  if (expiry - now > longest) return `it is valid for more than ${longest / 3_600_000} hours from now on`
  // Section 4.1.3: it expires before its certificate does.
  if (expiry >= leaf.notAfter) return "it does not expire before its certificate does"
  if (publicKey instanceof X509Error) return `its key cannot be used: ${publicKey.message}`
  const scheme = signatureScheme(code)
  if (scheme === undefined || !isDelegable(scheme)) return `${nameOf(code)} is no scheme for delegated credentials`
  if (!schemeFitsKey(scheme, publicKey)) return `its key does not sign in ${scheme.name}, which is its scheme`
  const weak = keyProblem(publicKey)
  if (weak !== undefined) return `its key is refused: ${weak.message}`
  const signing = signatureScheme(algorithm)
  if (signing === undefined || leaf.publicKey === undefined || !schemeFitsKey(signing, leaf.publicKey))
    return `the certificate's key does not sign in ${nameOf(algorithm)}, in which the credential is signed`
  return undefined
}

function nameOf(code: number): string {
  return signatureScheme(code)?.name ?? `0x${code.toString(16).padStart(4, "0")}`
}
