// How the options of node:tls decide whom to believe: `ca`, `rejectUnauthorized`, `checkServerIdentity`.

import { Misuse } from "../../bytes/errors.ts"
import { toHex } from "../../bytes/hex.ts"
import { atOnce, Pause } from "../../bytes/pause.ts"
import type { HandshakeInfo } from "../../handshake/info.ts"
import type { CommonOptions } from "../../handshake/options.ts"
import type { Certificate } from "../../x509/certificate/certificate.ts"
import { askedAfterSignature } from "../../x509/certificate/leaf-key.ts"
import { claimedLeafKey } from "../../x509/certificate/unreadable.ts"
import * as Oid from "../../x509/der/oids.ts"
import { X509Error } from "../../x509/errors.ts"
import type {
  CertificateType,
  CertificateVerdict,
  CertificateVerification,
  CertificateVerifier,
  PeerIdentity,
} from "../../x509/interfaces.ts"
import { type Pin, parsePin } from "../../x509/keys/pins.ts"
import type { IdentityRule } from "../../x509/names/identity.ts"
import { type Profile, usualProfile } from "../../x509/path/path-rules.ts"
import { createCertificateVerifier, type VerifierOptions } from "../../x509/path/verifier.ts"
import type { RevocationMode, RevocationOptions } from "../../x509/revocation/revocation.ts"
import { rulesName } from "../rules-name.ts"
import { describe, type PeerCertificate } from "./peer-certificate.ts"
import type { SecureContext } from "./secure-context.ts"

/** Why a peer is not authorized, as `socket.authorizationError`. */
export class AuthorizationError extends Error {
  override readonly name = "AuthorizationError"
  /** Such as `ERR_TLS_CERTIFICATE_EXPIRED`. */
  readonly code: string
  /** The rule that failed, such as `expired`. */
  readonly reason: string

  constructor(alert: string, reason: string, message: string) {
    super(message)
    this.code = `ERR_TLS_${alert.toUpperCase()}`
    this.reason = reason
  }
}

/** Given the name and the certificate; returns what is wrong, or undefined. */
export type CheckServerIdentity = (host: string, certificate: PeerCertificate) => Error | undefined

/** How certificates are judged beyond the trusted authorities. */
export interface CertificatePolicy {
  /**
   * `path` (RFC 5280 section 6), the default below `ca` and `trust`; `rfc5280`: also its section 4; `webpki`: as public servers
   * must be. Below the machine's own authorities the default is `webpki` for servers and `rfc5280` for clients.
   */
  readonly profile?: Profile | undefined
  /**
   * What the lists of `crl` and stapled OCSP responses are used for. `ifPresent`, the default: what is there must be usable and
   * must not say revoked; `require`: there must be an answer for every certificate; `off`. Or for each of them alone.
   */
  readonly revocation?: RevocationMode | Omit<RevocationOptions, "crls"> | undefined
  /** Keys of which one must be in the path: `sha256/BASE64`, 64 hexadecimal digits, a PEM PUBLIC KEY, or DER. */
  readonly pins?: string | readonly (string | Pin)[] | undefined
  /** Raw public keys (RFC 7250) that the peer may show instead of a certificate; written like `pins`. */
  readonly rawPublicKeys?: string | readonly (string | Pin)[] | undefined
}

export interface VerificationOptions extends CertificatePolicy {
  /** Whose certificate is verified. */
  readonly role: "server" | "client"
  /** The server that a client wants to reach. */
  readonly serverName?: string | undefined
  /** Instead of the usual verifier. */
  readonly verifier?: CertificateVerifier | undefined
  /** false: the handshake goes on with a peer that cannot be verified; `authorized` is then false. */
  readonly rejectUnauthorized?: boolean | undefined
  readonly checkServerIdentity?: CheckServerIdentity | undefined
  readonly extendVerifier?: ExtendVerifier | undefined
  /** By what clients are known. */
  readonly identity?: IdentityRule | undefined
}

/**
 * Makes a verifier that asks for more, or takes more, out of the usual one or `verifier`: `acceptDelegatedCredentials` of `./x509`,
 * say. It may be asked more than once about one chain.
 */
export type ExtendVerifier = (verifier: CertificateVerifier) => CertificateVerifier

export interface Verification {
  readonly verifier: CertificateVerifier
  /** What is wrong with the peer of a handshake that went on in spite of it. */
  problemOf(info: HandshakeInfo): AuthorizationError | undefined
  /** Names these rules: a session that was made under others is not resumed. */
  readonly partition: string
}

export function createVerification(context: SecureContext, options: VerificationOptions): Verification {
  const { verifier, checkServerIdentity: check, identity, extendVerifier } = options
  if (verifier !== undefined && check !== undefined) {
    throw new Misuse("`verifier` decides about the name as well: give it or `checkServerIdentity`, not both")
  }
  const policy = policyOf(options)
  const usual =
    (verifier && askedAfterSignature(verifier)) ??
    createCertificateVerifier({
      trust: () => context.trust,
      ...policy,
      revocation: { ...policy.revocation, crls: context.crls },
      ...(identity && { identity }),
      ...(check && { checkName: (leaf, serverName) => nameProblem(check, leaf, serverName, context) }),
    })
  const strict = extendVerifier?.(usual) ?? usual
  const own = verifier
    ? `own verifier ${rulesName(verifier, context.provider)}`
    : [
        context.trustName,
        policyName({ profile: usualProfileOf(context, options.role), ...policy }),
        check ? `own name check ${rulesName(check, context.provider)}` : "",
        identity ?? "",
      ].join()
  const rules = extendVerifier ? `${own}, extended ${rulesName(extendVerifier, context.provider)}` : own
  if (options.rejectUnauthorized ?? true) return { verifier: strict, problemOf: () => undefined, partition: rules }
  return tolerant(strict, `${rules}, not enforced`, context, options)
}

type Policy = Pick<VerifierOptions, "profile" | "revocation" | "pins" | "rawPublicKeys">

/** @throws X509Error for a pin that is none */
function policyOf({ profile, revocation, pins, rawPublicKeys }: CertificatePolicy): Policy {
  const [pinned, rawKeys] = [pinsOf(pins), pinsOf(rawPublicKeys)]
  return {
    ...(profile && { profile }),
    ...(revocation && { revocation: revocationOf(revocation) }),
    ...(pinned && { pins: pinned }),
    ...(rawKeys && { rawPublicKeys: rawKeys }),
  }
}

function pinsOf(pins: CertificatePolicy["pins"]): readonly Pin[] | undefined {
  const list = typeof pins === "string" ? [pins] : pins
  return list?.map((pin) => (typeof pin === "string" ? parsePin(pin) : pin))
}

/** What one word says of lists and staples. */
export function revocationOf(mode: NonNullable<CertificatePolicy["revocation"]>): Omit<RevocationOptions, "crls"> {
  if (typeof mode !== "string") return mode
  // One answer is enough: a stapled response that says good stands for the leaf's list.
  return mode === "require" ? { crl: "require" } : { crl: mode, ocsp: mode }
}

/** Without a look at the machine's authorities, which may never be needed. */
function usualProfileOf(context: SecureContext, role: "client" | "server"): Profile {
  return usualProfile(
    context.ownTrust ? context.trust.origin : "host",
    role === "server" ? Oid.serverAuth : Oid.clientAuth,
  )
}

/** Sessions that were made under other rules are not resumed. */
function policyName({ profile, revocation, pins, rawPublicKeys }: Policy): string {
  return JSON.stringify([profile, revocation, pins?.map(toHex), rawPublicKeys?.map(toHex)])
}

/** Whether the rules want an OCSP response, so that the server must be asked for one. */
export function wantsOcsp({ revocation }: CertificatePolicy): boolean {
  return revocation === "require" || (typeof revocation === "object" && revocation.ocsp === "require")
}

/** What each side may show, for a handshake in which raw public keys play a part; else undefined. */
export function certificateTypes(
  own: "client" | "server",
  { credentials }: SecureContext,
  { rawPublicKeys }: CertificatePolicy,
): CommonOptions["certificateTypes"] {
  const ours = [...new Set(credentials.map(({ type }) => type))]
  if (rawPublicKeys === undefined && !ours.includes("RawPublicKey")) return undefined
  const shown: readonly CertificateType[] = ours.length > 0 ? ours : ["X509"]
  const taken: readonly CertificateType[] = rawPublicKeys === undefined ? ["X509"] : ["RawPublicKey", "X509"]
  return own === "client" ? { client: shown, server: taken } : { client: taken, server: shown }
}

/** Lets every certificate pass whose key can be read, and remembers what the verifier says of it. */
function tolerant(
  strict: CertificateVerifier,
  partition: string,
  context: SecureContext,
  options: VerificationOptions,
): Verification {
  const problems = new WeakMap<PeerIdentity, AuthorizationError>()
  const pass = (verification: CertificateVerification, verdict: CertificateVerdict): CertificateVerdict => {
    // The key of a delegated credential is the peer's by the verifier's word alone (RFC 9345 section 4.1.3).
    if (verdict.accepted || verification.type !== "X509" || verification.delegatedCredential) return verdict
    const publicKey = claimedLeafKey(verification)
    if (publicKey === undefined) return verdict
    const { type, chain } = verification
    const identity: PeerIdentity = { type, chain, path: [], subject: "" }
    problems.set(identity, new AuthorizationError(verdict.alert, verdict.reason, verdict.message))
    return { accepted: true, publicKey, identity }
  }
  return {
    verifier: {
      // Odd certificates pass as well: the peer signs for the key in them, and `authorizationError` says what is wrong.
      leafKey: (verification) => strict.leafKey?.(verification) ?? claimedLeafKey(verification),
      ...(strict.asks && { asks: strict.asks }),
      verify(verification) {
        const verdict = strict.verify(verification)
        if (!(verdict instanceof Pause)) return pass(verification, verdict)
        const { work } = verdict
        return new Pause(work && Promise.resolve(work).then((answer) => pass(verification, answer)))
      },
    },
    problemOf(info) {
      if (info.peer !== undefined) return problems.get(info.peer)
      // A resumed session says who the peer is, but not whether that was believed: so it is verified here.
      if (!info.resumed || info.peerChain.length === 0) return undefined
      const verdict = strict.verify({
        role: options.role,
        type: info.peerCertificateType,
        chain: info.peerChain,
        serverName: options.serverName,
        ocspResponse: undefined,
        signedCertificateTimestamps: undefined,
        now: Date.now(),
        provider: context.provider,
      })
      if (verdict instanceof Pause) {
        return new AuthorizationError("certificate_unknown", "resumed", "a resumed peer cannot be verified at once")
      }
      if (!verdict.accepted) return new AuthorizationError(verdict.alert, verdict.reason, verdict.message)
      return undefined
    },
    partition,
  }
}

function nameProblem(
  check: CheckServerIdentity,
  leaf: Certificate,
  serverName: string | undefined,
  { provider }: SecureContext,
): X509Error | undefined {
  const problem = atOnce("checkServerIdentity", check(serverName ?? "", describe(leaf, provider)))
  return problem && new X509Error("name_mismatch", problem.message)
}
