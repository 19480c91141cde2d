import type { CertificateType, PeerIdentity } from "../x509/interfaces.ts"

/** What a client's first message asked for: for logs, also of handshakes that fail. */
export interface Offer {
  /** supported_versions, or legacy_version alone when the client sent none: 0x0304 is TLS 1.3. */
  readonly versions: readonly number[]
  readonly serverName: string | undefined
  readonly alpnProtocols: readonly string[]
  readonly cipherSuites: readonly number[]
  readonly groups: readonly number[]
  /** Only where it has come to us: a client knows its own. */
  readonly signatureSchemes?: readonly number[]
}

/** What a finished handshake agreed. */
export interface HandshakeInfo {
  readonly protocol: "TLSv1.3"
  /** Such as TLS_AES_128_GCM_SHA256. */
  readonly cipherSuite: string
  /** Such as x25519; undefined for psk_ke, which has no key exchange. */
  readonly group: string | undefined
  /** The scheme of the peer's CertificateVerify; undefined when the peer showed no certificate. */
  readonly peerSignatureScheme: string | undefined
  readonly alpnProtocol: string | undefined
  /** server_name as in this connection's ClientHello. */
  readonly serverName: string | undefined
  /** How the peer was authenticated. `none`: a client that was not asked, or that had no certificate, also when it resumes. */
  readonly authentication: "certificate" | "psk" | "none"
  readonly resumed: boolean
  /** The identity of the external PSK that was agreed: in the first connection, when this one resumed it. */
  readonly pskIdentity: Uint8Array | undefined
  readonly helloRetryRequest: boolean
  readonly earlyData: "not offered" | "accepted" | "rejected"
  /** RFC 9849. A client whose offer is rejected has no connection; a server cannot tell a rejected one from a made-up one. */
  readonly encryptedClientHello: "not offered" | "accepted" | "rejected"
  /** RFC 9345: we have signed with the key of a delegated credential; `peer` says whether the peer has. */
  readonly delegated?: true | undefined
  /** Who the peer proved to be. */
  readonly peer: PeerIdentity | undefined
  /** The peer's certificates: those of the first connection when this one resumed it. */
  readonly peerChain: readonly Uint8Array[]
  readonly peerCertificateType: CertificateType
}
