// The CertificateVerifier that the handshake asks (RFC 9846 section 4.5.1): path, name, revocation, pins, raw public keys.
// Never throws for what a peer sent; whatever goes wrong is a refusal with an alert and a sentence.

import { copyOf } from "../../bytes/copy.ts"
import { messageOf } from "../../bytes/errors.ts"
import { atOnce } from "../../bytes/pause.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import { type Certificate, maximumCertificateBytes, parseCertificate, subjectText } from "../certificate/certificate.ts"
import * as KeyUsage from "../certificate/key-usage.ts"
import { readLeafKey } from "../certificate/leaf-key.ts"
import { missedIssuer } from "../certificate/unreadable.ts"
import * as Oid from "../der/oids.ts"
import { attempt, isReadable, type Reason, reasonAlerts, X509Error } from "../errors.ts"
import type {
  CertificateVerdict,
  CertificateVerification,
  CertificateVerifier,
  PeerIdentity,
  UncheckedRule,
} from "../interfaces.ts"
import { keyProblem } from "../keys/key-policy.ts"
import { isPinned, type Pin } from "../keys/pins.ts"
import { parseSpki } from "../keys/spki.ts"
import type { UnknownTime } from "../moment.ts"
import { nameText } from "../names/distinguished-name.ts"
import { type IdentityRule, identityProblem } from "../names/identity.ts"
import { nameProblem, referenceHost } from "../names/name.ts"
import type { NameConstraints } from "../names/name-constraints.ts"
import { type RevocationOptions, revocationProblem } from "../revocation/revocation.ts"
import { validatePath } from "./path.ts"
import { type PathBudget, problemOf } from "./path-problem.ts"
import type { Profile } from "./path-rules.ts"
import type { TrustAnchor, TrustStore } from "./trust.ts"

export interface VerifierOptions {
  /** The trusted certificates, or a function that gives those of the moment: a reload then needs no new connection. */
  readonly trust: TrustStore | (() => TrustStore)
  /**
   * `path`: RFC 5280 section 6, which private authorities pass; `rfc5280`: also its section 4; `webpki`: also what the CA/Browser
   * Forum wants of public servers. Default: `path`, and below the host's own store `webpki` for servers, `rfc5280` for clients.
   */
  readonly profile?: Profile
  readonly revocation?: RevocationOptions
  /** Keys of which one must be in the validated path, beside everything else. */
  readonly pins?: readonly Pin[]
  /** RawPublicKeys (RFC 7250) that are accepted; without them every raw key is refused. */
  readonly rawPublicKeys?: readonly Pin[]
  /** Intermediates that are not self-issued; default 8. */
  readonly maximumIntermediates?: number
  /** Certificates that a peer may send; default 32. */
  readonly maximumCertificates?: number
  /** Bytes of one certificate; default 65,536. */
  readonly maximumCertificateBytes?: number
  /** Instead of RFC 9525, for a server's certificate whose path is good; undefined means that the name is right. */
  readonly checkName?: (leaf: Certificate, serverName: string | undefined) => X509Error | undefined
  /**
   * By what clients are known: a client's certificate whose name by this rule the name constraints of its path leave free is
   * refused (see `identityProblem`).
   */
  readonly identity?: IdentityRule
  /** Certificates that help to find paths although the peer does not send them. */
  readonly intermediates?: readonly Certificate[]
  readonly policies?: readonly string[]
  readonly budget?: Partial<PathBudget>
  /**
   * For a device that does not know what time it is. Certificates, lists and OCSP responses are then not judged at the `now` of
   * the connection: what had expired `atLeast` then is refused, the rest of their times is not checked, and `unchecked` of the
   * identity says so.
   */
  readonly unknownTime?: UnknownTime
}

/** A verifier with these rules; stateless, so that thousands of connections share one. */
export function createCertificateVerifier(rules: VerifierOptions): CertificateVerifier {
  const options = ownPins(rules)
  return {
    leafKey: readLeafKey,
    verify(verification) {
      try {
        // An application that reads its anchors only now may find that they are none.
        const verdict = attempt(() =>
          verification.type === "RawPublicKey"
            ? rawKeyVerdict(verification, options)
            : chainVerdict(verification, options),
        )
        return verdict instanceof X509Error ? refusal(verdict.reason, verdict.message) : verdict
      } catch (error) {
        // A defect of ours must not become a way around the check, nor an exception in the middle of a handshake.
        return refusal("internal", `the certificate could not be checked: ${messageOf(error)}`)
      }
    },
  }
}

function refusal(reason: Reason, message: string): CertificateVerdict {
  return { accepted: false, alert: reasonAlerts[reason], reason, message }
}

function chainVerdict(verification: CertificateVerification, options: VerifierOptions): CertificateVerdict {
  const { chain, role, provider } = verification
  const now = options.unknownTime ?? verification.now
  const most = options.maximumCertificates ?? 32
  if (chain.length > most)
    return refusal("limit_exceeded", `the peer sent ${chain.length} certificates; at most ${most} are accepted`)
  const parsed = parsedChain(chain, options.maximumCertificateBytes ?? maximumCertificateBytes)
  const [leaf, ...others] = parsed
  if (leaf === undefined) return refusal("malformed", "the peer sent no certificate")
  if (leaf instanceof X509Error) return refusal(leaf.reason, `the peer's certificate cannot be read: ${leaf.message}`)
  // RFC 9846 4.5.1.2: the certificate type MUST be X.509v3, unless explicitly negotiated otherwise.
  if (leaf.version !== 3) {
    const what = `it is of version ${leaf.version}; TLS 1.3 needs version 3: issue it with an extension (subjectAltName, say)`
    return refusal("unsupported_version", problemOf(new X509Error("unsupported_version", what), leaf, 0).message)
  }
  const { revocation } = options
  const verdict = validatePath({
    leaf,
    intermediates: [...others.filter(isReadable), ...(options.intermediates ?? [])],
    trust: typeof options.trust === "function" ? atOnce("trust", options.trust()) : options.trust,
    now,
    provider,
    usage: role === "server" ? Oid.serverAuth : Oid.clientAuth,
    keyUsage: KeyUsage.digitalSignature,
    accept: (path) => revocationProblem(path, revocation ?? {}, verification.ocspResponse, now, provider),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.maximumIntermediates === undefined ? {} : { maximumIntermediates: options.maximumIntermediates }),
    ...(options.policies === undefined ? {} : { policies: options.policies }),
    ...(options.budget === undefined ? {} : { budget: options.budget }),
  })
  if (!verdict.accepted) {
    const { reason, message } = verdict.problem
    const missed = reason === "unknown_issuer" ? missedIssuer(chain, parsed) : undefined
    if (missed === undefined) return refusal(reason, message)
    const { index, error } = missed
    return refusal(
      error.reason,
      `certificate ${index + 1} of the chain cannot be read: ${error.message}; so ${message}`,
    )
  }
  const named =
    role === "server"
      ? atOnce("checkName", (options.checkName ?? serverNameProblem)(leaf, verification.serverName))
      : undefined
  if (named) return refusal(named.reason, named.message)
  const unnamed =
    role === "client" && options.identity && identityProblem(leaf, options.identity, constraintsOf(verdict))
  if (unnamed) return refusal(unnamed.reason, problemOf(unnamed, leaf, 0).message)
  if (options.pins && !verdict.path.some((each) => isPinned(each.spki, options.pins!, provider))) {
    return refusal(
      "pin_mismatch",
      `no key in the path of ${subjectText(leaf)} is one of the pinned keys; if the peer changed its key, pin the new one`,
    )
  }
  const known =
    options.unknownTime === undefined
      ? { validUntil: validUntil(verdict) }
      : { unchecked: unchecked(options, verification) }
  return accepted(leaf.publicKey!, verification, nameText(leaf.subject), verdict.path, known)
}

function constraintsOf({ path, anchor }: { path: readonly Certificate[]; anchor: TrustAnchor }): NameConstraints[] {
  const all = [...path.slice(1).map(({ extensions }) => extensions.nameConstraints), anchor.nameConstraints]
  return all.filter((each) => each !== undefined)
}

/** The rules with pins of our own: the application may do with its arrays what it likes. */
function ownPins({ pins, rawPublicKeys, ...others }: VerifierOptions): VerifierOptions {
  return {
    ...others,
    ...(pins && { pins: pins.map(copyOf) }),
    ...(rawPublicKeys && { rawPublicKeys: rawPublicKeys.map(copyOf) }),
  }
}

/** RFC 9525: the application says whom it wants to reach; without that nothing is proven. */
function serverNameProblem(leaf: Certificate, serverName: string | undefined): X509Error | undefined {
  if (serverName === undefined) {
    return new X509Error(
      "invalid_reference_name",
      "no server name was given to check the certificate against; give the name or address to reach",
    )
  }
  const reference = attempt(() => referenceHost(serverName))
  if (reference instanceof X509Error) return reference
  const problem = nameProblem(leaf, reference)
  return problem && new X509Error(problem.reason, problemOf(problem, leaf, 0).message)
}

function accepted(
  publicKey: PublicKey,
  { type, chain }: CertificateVerification,
  subject: string,
  path: readonly Certificate[],
  more: Pick<PeerIdentity, "validUntil" | "unchecked"> = {},
): CertificateVerdict {
  return { accepted: true, publicKey, identity: { type, chain, path: path.map((each) => each.der), subject, ...more } }
}

/** What could not be checked of a good path without a clock. */
function unchecked({ revocation = {} }: VerifierOptions, { ocspResponse }: CertificateVerification): UncheckedRule[] {
  const looksAtList = revocation.crls !== undefined && revocation.crl !== "off"
  const looksAtStaple = ocspResponse !== undefined && ocspResponse.length > 0 && revocation.ocsp !== "off"
  return [
    "validity",
    ...(looksAtList ? (["crl_freshness"] as const) : []),
    ...(looksAtStaple ? (["ocsp_freshness"] as const) : []),
  ]
}

/** When the first certificate of the path expires; a trust anchor's own dates do not count (RFC 5280 section 6.1). */
function validUntil({ path, anchor }: { path: readonly Certificate[]; anchor: TrustAnchor }): number {
  const [leaf, ...others] = path
  const checked = others.filter((each) => each !== anchor.certificate)
  return Math.min(leaf!.notAfter, ...checked.map(({ notAfter }) => notAfter))
}

/** Each certificate, or why it cannot be read: an intermediate that no path needs may be anything. */
function parsedChain(chain: readonly Uint8Array[], limit: number): (Certificate | X509Error)[] {
  return chain.map((der) => attempt(() => parseCertificate(der, limit)))
}

function rawKeyVerdict(verification: CertificateVerification, options: VerifierOptions): CertificateVerdict {
  const { chain, provider } = verification
  const spki = chain[0]
  if (spki === undefined || chain.length !== 1) return refusal("malformed", "a raw public key comes alone (RFC 7250)")
  // Any DER of a pinned key is parsed as strictly as a certificate's.
  const publicKey = attempt(() => parseSpki(spki))
  if (publicKey instanceof X509Error) return refusal(publicKey.reason, publicKey.message)
  const weak = keyProblem(publicKey)
  if (weak) return refusal(weak.reason, `the peer's raw public key is refused: ${weak.message}`)
  if (!isPinned(spki, options.rawPublicKeys ?? [], provider)) {
    return refusal(
      "key_not_trusted",
      "the peer's raw public key is not one of those that are trusted; add its SHA-256 if it should be",
    )
  }
  return accepted(publicKey, verification, "", [])
}
