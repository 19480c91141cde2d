// The entry `@puremq/tls13/lean`: a client that carries what it uses and no more. The usual `createClientConfig` gives a client
// every feature; here each is a value of its own, and what is not passed in is not in the bundle.

export { clientCertificates } from "../handshake/client/authenticate.ts"
export { certificates } from "../handshake/client/certificates.ts"
export type { ClientFeatures } from "../handshake/client/client.ts"
export { earlyData } from "../handshake/client/early-data.ts"
export { extensionOrder } from "../handshake/client/extension-order.ts"
export { certificateCompression, grease } from "../handshake/client/features.ts"
export { postHandshakeAuthentication } from "../handshake/client/post-handshake-authentication.ts"
export { preSharedKeys } from "../handshake/client/pre-shared-keys.ts"
export { rawPublicKeys } from "../handshake/client/raw-public-keys.ts"
export { explanations } from "../handshake/explanations.ts"
export { createLeanClientConfig } from "./config.ts"
