import { SignatureScheme, type SignatureSchemeName } from "../bytes/code-points.ts"
import type { EcCurve, PrivateKey, PublicKey } from "./keys.ts"
import type { SignatureAlgorithmName } from "./provider.ts"

// RFC 9846 section 4.3.3 as a table: which algorithm a SignatureScheme is, which keys it takes, and where it may appear.

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
  if (key.type === "ed25519") return true
  if (key.type === "rsa-pss" && "pss" in key && key.pss) return scheme.algorithm === `rsa_pss_${key.pss.hash}`
  return key.modulus.length >= shortestModulus(scheme.algorithm)
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
