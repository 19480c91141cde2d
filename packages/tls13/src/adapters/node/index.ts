// The entry `@puremq/tls13/node`: TLS 1.3 on Node's sockets, in the shape of node:tls.

export { brotliCompression, zlibCompression } from "./certificate-compression.ts"
export { type ConnectOptions, connect } from "./connect.ts"
export {
  mqttStreamBuilder,
  type UndiciCallback,
  type UndiciConnectOptions,
  undiciConnector,
} from "./ecosystem.ts"
export type { HandshakeFailure, HandshakeReport } from "./handshake-report.ts"
export { type HostRoots, hostRoots } from "./host-roots.ts"
export { loopTurns } from "./loop-turns.ts"
export type { CommonTlsOptions, PskOption } from "./options.ts"
export type { DistinguishedNameObject, PeerCertificate } from "./peer-certificate.ts"
export type { ProviderChoice, ProviderName } from "./provider.ts"
export { createSecureContext, type PemSource, SecureContext, type SecureContextOptions } from "./secure-context.ts"
export {
  createServer,
  type HandshakeRefused,
  type PskCallback,
  Server,
  type ServerContextOptions,
  type ServerEvents,
  type TlsServerOptions,
} from "./server.ts"
export type { SNICallback } from "./server-credentials.ts"
export { decodeClientSession, encodeClientSession } from "./session-buffer.ts"
export { TLSSocket, type TLSSocketEvents } from "./tls-socket.ts"
export { AuthorizationError, type CheckServerIdentity } from "./verification.ts"
