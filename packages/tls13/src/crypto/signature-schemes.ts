import { SignatureScheme, type SignatureSchemeName } from "../bytes/code-points.ts"
import type { EcCurve, PrivateKey, PublicKey } from "./keys.ts"
import type { SignatureAlgorithmName } from "./provider.ts"

// RFC 9846 section 4.3.3, RFC 8734 and draft-ietf-tls-mldsa section 3 as a table: which algorithm a SignatureScheme is, which keys
// it takes, and where it may appear.

export interface SignatureSchemeInfo {
  readonly name: SignatureSchemeName
  readonly code: number
  readonly algorithm: SignatureAlgorithmName
  readonly key: PublicKey["type"]
  /** The scheme ties the curve in CertificateVerify. */
  readonly curve?: EcCurve
  /** RSASSA-PKCS1-v1_5 may appear in certificates only, never in CertificateVerify. */
  readonly certificatesOnly?: true
}

export const signatureSchemes: readonly SignatureSchemeInfo[] = [
  /* @__PURE__ */ row("ecdsa_secp256r1_sha256", "ecdsa_sha256", "ec", { curve: "P-256" }),
  /* @__PURE__ */ row("ecdsa_secp384r1_sha384", "ecdsa_sha384", "ec", { curve: "P-384" }),
  /* @__PURE__ */ row("ecdsa_secp521r1_sha512", "ecdsa_sha512", "ec", { curve: "P-521" }),
  /* @__PURE__ */ row("ed25519", "ed25519", "ed25519"),
  /* @__PURE__ */ row("ed448", "ed448", "ed448"),
  /* @__PURE__ */ row("ecdsa_brainpoolP256r1tls13_sha256", "ecdsa_brainpool_sha256", "ec", {
    curve: "brainpoolP256r1",
  }),
  /* @__PURE__ */ row("ecdsa_brainpoolP384r1tls13_sha384", "ecdsa_brainpool_sha384", "ec", {
    curve: "brainpoolP384r1",
  }),
  /* @__PURE__ */ row("ecdsa_brainpoolP512r1tls13_sha512", "ecdsa_brainpool_sha512", "ec", {
    curve: "brainpoolP512r1",
  }),
  /* @__PURE__ */ row("mldsa44", "mldsa44", "ml-dsa-44"),
  /* @__PURE__ */ row("mldsa65", "mldsa65", "ml-dsa-65"),
  /* @__PURE__ */ row("mldsa87", "mldsa87", "ml-dsa-87"),
  /* @__PURE__ */ row("rsa_pss_rsae_sha256", "rsa_pss_sha256", "rsa"),
  /* @__PURE__ */ row("rsa_pss_rsae_sha384", "rsa_pss_sha384", "rsa"),
  /* @__PURE__ */ row("rsa_pss_rsae_sha512", "rsa_pss_sha512", "rsa"),
  /* @__PURE__ */ row("rsa_pss_pss_sha256", "rsa_pss_sha256", "rsa-pss"),
  /* @__PURE__ */ row("rsa_pss_pss_sha384", "rsa_pss_sha384", "rsa-pss"),
  /* @__PURE__ */ row("rsa_pss_pss_sha512", "rsa_pss_sha512", "rsa-pss"),
  /* @__PURE__ */ row("rsa_pkcs1_sha256", "rsa_pkcs1_sha256", "rsa", { certificatesOnly: true }),
  /* @__PURE__ */ row("rsa_pkcs1_sha384", "rsa_pkcs1_sha384", "rsa", { certificatesOnly: true }),
  /* @__PURE__ */ row("rsa_pkcs1_sha512", "rsa_pkcs1_sha512", "rsa", { certificatesOnly: true }),
]

function row(
  name: SignatureSchemeName,
  algorithm: SignatureAlgorithmName,
  key: PublicKey["type"],
  more?: Pick<SignatureSchemeInfo, "curve" | "certificatesOnly">,
): SignatureSchemeInfo {
  return { name, code: SignatureScheme[name], algorithm, key, ...more }
}

export function signatureScheme(code: number): SignatureSchemeInfo | undefined {
  return signatureSchemes.find((row) => row.code === code)
}

/** Whether a key of this type (and curve) can make a CertificateVerify with the scheme. */
export function schemeFitsKey(scheme: SignatureSchemeInfo, key: PublicKey | PrivateKey): boolean {
  if (scheme.certificatesOnly || scheme.key !== key.type) return false
  if (key.type === "ec") return scheme.curve === key.curve
  if (!("modulus" in key)) return true
  if (key.type === "rsa-pss" && "pss" in key && key.pss) return scheme.algorithm === `rsa_pss_${key.pss.hash}`
  return key.modulus.length >= shortestModulus(scheme.algorithm)
}

/** What a delegated credential (RFC 9345 section 4) says of signatures; code points. */
export interface DelegatedSchemes {
  /** dc_cert_verify_algorithm: of CertificateVerify. */
  readonly scheme: number
  /** algorithm: in which the certificate's key has signed the credential. */
  readonly algorithm: number
}

/**
 * The schemes that a peer takes of a key in CertificateVerify: those of its signature_algorithms. Of the key of a delegated
 * credential its own one, if the peer takes that of delegated credentials, and the one in which it was signed (RFC 9345 sections
 * 4.1.1 and 4.1.2).
 * @param delegatedSchemes the peer's delegated_credential; undefined: it sent none
 */
export function schemesTaken(
  delegated: DelegatedSchemes | undefined,
  signatureSchemes: readonly number[],
  delegatedSchemes: readonly number[] = [],
): readonly number[] {
  if (delegated === undefined) return signatureSchemes
  const { scheme, algorithm } = delegated
  return signatureSchemes.includes(algorithm) && delegatedSchemes.includes(scheme) ? [scheme] : []
}

/** The schemes that a key can make a CertificateVerify with (RFC 9846 section 4.3.3). */
export function schemesOfKey(key: PublicKey): readonly SignatureSchemeName[] {
  return signatureSchemes.filter((scheme) => schemeFitsKey(scheme, key)).map(({ name }) => name)
}

/** RFC 8017 section 9.1.1: hash and salt, which is as long in TLS, and two octets must fit: 130 octets for SHA-512. */
function shortestModulus(algorithm: SignatureAlgorithmName): number {
  const bits = /^rsa_pss_sha(\d+)$/.exec(algorithm)?.[1]
  return bits === undefined ? 0 : 2 * (Number(bits) / 8) + 2
}
