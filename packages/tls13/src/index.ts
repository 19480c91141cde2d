// The core entry point: no provider, no certificates, no runtime. What a device does not import it does not carry.

export { AlertDescription, type AlertName, alertName } from "./bytes/alerts.ts"
export {
  CertificateRejected,
  Closed,
  InvalidMessage,
  LimitExceeded,
  Misuse,
  PeerAlert,
  PeerIncompatible,
  PeerMisbehaved,
  TlsError,
  type TlsErrorKind,
} from "./bytes/errors.ts"
export { Pause } from "./bytes/pause.ts"
export { ClientConnection } from "./connection/client-connection.ts"
export { type ClientConfig, createClientConfig, createServerConfig, type ServerConfig } from "./connection/config.ts"
export type { Connection } from "./connection/connection.ts"
export type { ConnectionEvent, Decision, Outcome } from "./connection/events.ts"
export { ServerConnection } from "./connection/server-connection.ts"
export {
  type CryptoProvider,
  InvalidKeyShare,
  type KeyExchange,
  type KeyExchangeAnswer,
  type KeyExchangeStarted,
  type RandomSource,
} from "./crypto/provider.ts"
export type { HandshakeInfo, Offer } from "./handshake/info.ts"
export { defaultLimits, type Limits } from "./handshake/limits.ts"
export type {
  CertificateCompression,
  ClientAuthenticationOptions,
  ClientOptions,
  CommonOptions,
  ServerOptions,
} from "./handshake/options.ts"
export { type PaddingPolicy, padToFull, padToMultipleOf } from "./record/padding.ts"
export type {
  ClientSession,
  ClientSessionStore,
  CookieSealer,
  ExternalPsk,
  ExternalPskStore,
  ReplayGuard,
  ServerSession,
  Ticketer,
} from "./session/session.ts"
export type { TraceEvent, TraceSink } from "./trace/events.ts"
export type {
  CertificateVerdict,
  CertificateVerifier,
  Credential,
  CredentialChoice,
  CredentialRequest,
  CredentialResolver,
  NoCredential,
  PeerIdentity,
  Signer,
} from "./x509/interfaces.ts"
