// Entry `@puremq/tls13/dangerous`: verifiers that prove less than TLS promises, and live connections as bytes. Whoever imports this
// entry says so in one line that a review can find. Nothing else of the package imports it.

import { toHex } from "../bytes/hex.ts"
import { type ClaimedKey, claimedKey, claimedLeafKey } from "../x509/certificate/unreadable.ts"
import { attempt, reasonAlerts, X509Error } from "../x509/errors.ts"
import type { CertificateVerdict, CertificateVerification, CertificateVerifier } from "../x509/interfaces.ts"
import { spkiHash } from "../x509/keys/pins.ts"
import { parseSpki } from "../x509/keys/spki.ts"

export { HandOverError, longestExport } from "./connection-state.ts"
export { exportConnection, type ImportedConnection, importConnection } from "./hand-over.ts"

/**
 * Accepts every certificate whose key can be used, even one that breaks rules of its encoding elsewhere: encrypted, but open to
 * anybody in the middle. The peer still proves that it holds the private key of what it showed.
 */
export function acceptAnyCertificate(): CertificateVerifier {
  return {
    leafKey: claimedLeafKey,
    verify(verification) {
      const key = attempt(() => shownKey(verification))
      return key instanceof X509Error ? refused(key) : accepted(verification, key)
    },
  }
}

/** Where the keys of hosts are remembered: the SHA-256 of the SubjectPublicKeyInfo in hexadecimal, by host. */
export interface KnownKeys {
  get(host: string): string | undefined
  set(host: string, spkiSha256: string): void
}

/**
 * Trust on first use, as SSH has it: whatever key a host shows first is remembered, and every later connection to the same
 * name must show it again. A key is remembered only once the peer has signed with it. Somebody in the middle of the first
 * connection stays undetected. Names, times and issuers are not looked at.
 */
export function trustOnFirstUse(known: KnownKeys): CertificateVerifier {
  return {
    leafKey: claimedLeafKey,
    verify(verification) {
      const key = attempt(() => shownKey(verification))
      if (key instanceof X509Error) return refused(key)
      const problem = firstUseProblem(known, verification, key)
      return problem ? refused(problem) : accepted(verification, key)
    },
  }
}

/** What is wrong with the key that a host shows; the first one is remembered, and right. */
function firstUseProblem(
  known: KnownKeys,
  { serverName, provider }: CertificateVerification,
  { spki }: ClaimedKey,
): X509Error | undefined {
  if (serverName === undefined)
    return new X509Error("invalid_reference_name", "trust on first use needs the name of the host")
  const hash = spkiHash(spki, provider)
  if (hash === undefined) return new X509Error("internal", "the crypto provider has no SHA-256 to remember the key by")
  const seen = known.get(serverName)
  if (seen === undefined) known.set(serverName, toHex(hash))
  else if (seen !== toHex(hash)) {
    return new X509Error(
      "pin_mismatch",
      `${serverName} shows another key than before: somebody may be in the middle; if its key was renewed, forget the old one`,
    )
  }
  return undefined
}

/** @throws X509Error */
function shownKey({ chain, type }: CertificateVerification): ClaimedKey {
  const [first] = chain
  if (first === undefined) throw new X509Error("malformed", "the peer sent no certificate")
  if (type === "RawPublicKey") return { publicKey: parseSpki(first), spki: first, subject: "" }
  return claimedKey(first)
}

function accepted({ type, chain }: CertificateVerification, { publicKey, subject }: ClaimedKey): CertificateVerdict {
  return { accepted: true, publicKey, identity: { type, chain, path: [], subject } }
}

function refused({ reason, message }: X509Error): CertificateVerdict {
  return {
    accepted: false,
    alert: reasonAlerts[reason],
    reason,
    message: `the peer's certificate is refused: ${message}`,
  }
}
