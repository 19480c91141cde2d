// What a server tells of each handshake, for one log line and a few counters.

import type { AlertName } from "../../bytes/alerts.ts"
import { CipherSuite, codePointName, NamedGroup, SignatureScheme } from "../../bytes/code-points.ts"
import { TlsError, type TlsErrorKind } from "../../bytes/errors.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import type { HandshakeInfo, Offer } from "../../handshake/info.ts"
import { parseCertificate, wholeSubjectText } from "../../x509/certificate/certificate.ts"
import { toBase64 } from "../../x509/der/pem.ts"
import { attempt, X509Error } from "../../x509/errors.ts"
import { spkiHash } from "../../x509/keys/pins.ts"
import { printable } from "./options.ts"

export interface HandshakeReport {
  readonly ok: boolean
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** Such as `TLSv1.3, TLSv1.2`; undefined when no ClientHello came. */
  readonly offeredVersions: string | undefined
  readonly serverName: string | undefined
  /** Of a handshake that failed: what the ClientHello had, as far as one came that could be read. */
  readonly offer: OfferReport | undefined
  readonly protocol: "TLSv1.3" | undefined
  readonly cipherSuite: string | undefined
  readonly group: string | undefined
  readonly resumed: boolean | undefined
  readonly alpnProtocol: string | undefined
  /** RFC 9849: `rejected` is also what a made-up offer is. */
  readonly encryptedClientHello: HandshakeInfo["encryptedClientHello"] | undefined
  /**
   * Who the client has proven to be: the subject of its certificate (RFC 4514), with or without one what `subjectText` of
   * `./x509` names it by, its PSK identity, or its raw public key as a pin. Never empty. undefined when it has proven nothing: the names of a certificate that was not accepted are not here.
   */
  readonly clientIdentity: string | undefined
  /** Whether the client was verified. */
  readonly authorized: boolean
  /** Why the certificate that the client showed was not accepted, where the handshake went on in spite of it. */
  readonly authorizationProblem: string | undefined
  /** From the accepted connection to the end of the handshake. */
  readonly milliseconds: number
  /** Set when the handshake failed. */
  readonly error: HandshakeFailure | undefined
}

/**
 * Names of the IANA registries, or numbers in hexadecimal where this stack knows none; without the values of RFC 8701. Of a longer
 * list the first 64, and how many more there were.
 */
export interface OfferReport {
  readonly versions: readonly string[]
  readonly cipherSuites: readonly string[]
  readonly groups: readonly string[]
  readonly signatureSchemes: readonly string[]
}

export interface HandshakeFailure {
  /** `Network` when the connection below failed. */
  readonly kind: TlsErrorKind | "Network"
  /** `ERR_TLS_ABANDONED` when the application destroyed or aborted the socket: there is no `tlsClientError` then. */
  readonly code: string
  /** The alert that was sent. */
  readonly alert?: AlertName
  /** The alert that was received. */
  readonly receivedAlert?: string
  /** One sentence. */
  readonly message: string
  /** Whose fault it was. `PeerIncompatible` is the client's, from this side's point of view. */
  readonly fault: "client" | "server" | "network"
}

export interface ReportSubject {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly offer: Offer | undefined
  readonly info: HandshakeInfo | undefined
  readonly authorized: boolean
  readonly authorizationError: Error | null
  readonly milliseconds: number
  readonly error: Error | undefined
  readonly provider: CryptoProvider
}

export function handshakeReport({ offer, info, error, ...rest }: ReportSubject): HandshakeReport {
  const offered = offer?.versions.map(versionName).filter((name) => name !== undefined)
  return {
    ok: error === undefined,
    remoteAddress: rest.remoteAddress,
    remotePort: rest.remotePort,
    offeredVersions: offered?.join(", "),
    serverName: offer?.serverName,
    offer: error && offer && offerReport(offer),
    protocol: info?.protocol,
    cipherSuite: info?.cipherSuite,
    group: info?.group,
    resumed: info?.resumed,
    alpnProtocol: info?.alpnProtocol,
    encryptedClientHello: info?.encryptedClientHello,
    clientIdentity: info && rest.authorized ? identityOf(info, rest.provider) : undefined,
    authorized: rest.authorized,
    authorizationProblem: rest.authorizationError?.message,
    milliseconds: rest.milliseconds,
    error: error && failure(error),
  }
}

function identityOf(info: HandshakeInfo, provider: CryptoProvider): string | undefined {
  if (info.pskIdentity !== undefined) return printable(info.pskIdentity)
  const leaf = info.peerChain[0]
  if (leaf === undefined) return undefined
  if (info.peerCertificateType === "RawPublicKey") return pinText(leaf, provider)
  const certificate = attempt(() => parseCertificate(leaf))
  return certificate instanceof X509Error ? undefined : wholeSubjectText(certificate)
}

/** `sha256/BASE64` of a SubjectPublicKeyInfo; undefined when the provider has no SHA-256. */
export function pinText(spki: Uint8Array, provider: CryptoProvider): string | undefined {
  const hash = spkiHash(spki, provider)
  return hash && `sha256/${toBase64(hash)}`
}

function failure(error: Error): HandshakeFailure {
  if (error instanceof TlsError) {
    return {
      kind: error.kind,
      code: error.code,
      ...(error.alert !== undefined && { alert: error.alert }),
      ...("received" in error && typeof error.received === "string" && { receivedAlert: error.received }),
      message: error.message,
      fault: isOurs(error) ? "server" : "client",
    }
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "ERR_NETWORK"
  return { kind: "Network", code, message: error.message, fault: "network" }
}

function isOurs({ alert, kind, code }: TlsError): boolean {
  return alert === "internal_error" || kind === "Misuse" || code === "ERR_TLS_ABANDONED"
}

/** Of each list. */
const mostOffered = 64

function offerReport({ versions, cipherSuites, groups, signatureSchemes = [] }: Offer): OfferReport {
  return {
    versions: named(versions, (code) => versionName(code) ?? codePointName({}, code)),
    cipherSuites: named(cipherSuites, (code) => codePointName(CipherSuite, code)),
    groups: named(groups, (code) => codePointName(NamedGroup, code)),
    signatureSchemes: named(signatureSchemes, (code) => codePointName(SignatureScheme, code)),
  }
}

function named(codes: readonly number[], name: (code: number) => string): string[] {
  const known = codes.filter((code) => !isGrease(code))
  const names = known.slice(0, mostOffered).map(name)
  return known.length > mostOffered ? [...names, `${known.length - mostOffered} more`] : names
}

/** RFC 8701: 0x0a0a, 0x1a1a ... */
function isGrease(code: number): boolean {
  return (code & 0x0f0f) === 0x0a0a && code >> 8 === (code & 0xff)
}

/** undefined for values that mean nothing, such as those of RFC 8701. */
function versionName(version: number): string | undefined {
  if (version === 0x0300) return "SSLv3"
  if (version === 0x0301) return "TLSv1"
  return version > 0x0301 && version <= 0x0304 ? `TLSv1.${version - 0x0301}` : undefined
}
