// Why a certificate is refused: one reason a rule, each with the alert of RFC 9846 section 6.2 that tells the peer.

import type { AlertName } from "../bytes/alerts.ts"

/** The rule that failed: a stable word for programs. */
export type Reason =
  | "malformed"
  | "certificate_too_large"
  | "duplicate_extension"
  | "unsupported_version"
  | "profile_violation"
  | "expired"
  | "not_yet_valid"
  | "bad_signature"
  | "weak_signature"
  | "unsupported_signature"
  | "weak_key"
  | "unsupported_key"
  | "unknown_issuer"
  | "not_a_ca"
  | "path_too_long"
  | "key_usage"
  | "extended_key_usage"
  | "name_constraints"
  | "unknown_critical_extension"
  | "policy"
  | "leaf_is_ca"
  | "name_mismatch"
  | "no_names"
  | "invalid_reference_name"
  | "revoked"
  | "revocation_unknown"
  | "bad_ocsp_response"
  | "pin_mismatch"
  | "key_not_trusted"
  | "identity_missing"
  | "bad_delegated_credential"
  | "timestamps_missing"
  | "bad_timestamp"
  | "limit_exceeded"
  | "internal"

/** Each rule that can fail, with the alert that a TLS endpoint sends for it. */
export const reasonAlerts: Readonly<Record<Reason, AlertName>> = {
  // What the bytes are (RFC 5280 section 4, X.690 DER).
  malformed: "bad_certificate",
  certificate_too_large: "bad_certificate",
  duplicate_extension: "bad_certificate",
  unsupported_version: "unsupported_certificate",
  profile_violation: "bad_certificate",
  // Time (RFC 5280 section 4.1.2.5).
  expired: "certificate_expired",
  not_yet_valid: "certificate_expired",
  // Keys and signatures.
  bad_signature: "bad_certificate",
  // RFC 9846 4.5.1.3: MD5 MUST be answered by bad_certificate, SHA-1 should.
  weak_signature: "bad_certificate",
  unsupported_signature: "unsupported_certificate",
  weak_key: "unsupported_certificate",
  unsupported_key: "unsupported_certificate",
  // The chain (RFC 5280 section 6).
  unknown_issuer: "unknown_ca",
  not_a_ca: "bad_certificate",
  path_too_long: "bad_certificate",
  key_usage: "unsupported_certificate",
  extended_key_usage: "unsupported_certificate",
  name_constraints: "bad_certificate",
  unknown_critical_extension: "unsupported_certificate",
  policy: "bad_certificate",
  leaf_is_ca: "bad_certificate",
  // Names (RFC 9525).
  name_mismatch: "bad_certificate",
  no_names: "bad_certificate",
  invalid_reference_name: "internal_error",
  // Revocation.
  revoked: "certificate_revoked",
  revocation_unknown: "certificate_unknown",
  bad_ocsp_response: "bad_certificate_status_response",
  // What the application asked for beyond the path.
  pin_mismatch: "certificate_unknown",
  key_not_trusted: "certificate_unknown",
  identity_missing: "certificate_unknown",
  // RFC 6962 leaves to the application what it wants.
  timestamps_missing: "certificate_unknown",
  bad_timestamp: "certificate_unknown",
  // RFC 9345 section 4.1.3: who receives one that is not valid MUST terminate the connection with it.
  bad_delegated_credential: "illegal_parameter",
  // Budgets: a hostile chain costs bounded work.
  limit_exceeded: "certificate_unknown",
  internal: "internal_error",
}

/** A certificate, a CRL, an OCSP response, a key or a PEM text that breaks a rule. `message` says what, where and what to do. */
export class X509Error extends Error {
  override readonly name = "X509Error"
  readonly reason: Reason

  constructor(reason: Reason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Bytes that are not the DER of what they should be. */
export function malformed(message: string): X509Error {
  return new X509Error("malformed", message)
}

/**
 * What `read` gives, or why it cannot: for whoever has to go on past what nobody can read. The one place where an X509Error
 * that is thrown becomes one that is returned; any other error is a defect, and stays thrown.
 */
export function attempt<Value>(read: () => Value): Value | X509Error {
  try {
    return read()
  } catch (error) {
    if (error instanceof X509Error) return error
    throw error
  }
}

/** What `read` gives; when it throws, in a sentence that also says where. @throws X509Error */
export function located<Value>(read: () => Value, sentence: (message: string) => string): Value {
  const value = attempt(read)
  if (value instanceof X509Error) throw new X509Error(value.reason, sentence(value.message))
  return value
}

export function isReadable<Value>(value: Value | X509Error): value is Value {
  return !(value instanceof X509Error)
}
