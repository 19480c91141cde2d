// The entry `@puremq/tls13/hpke`: Hybrid Public Key Encryption (RFC 9180), base mode, over a crypto provider.

export { HpkeRecipient, HpkeSender } from "./context.ts"
export { HpkeError, type HpkeErrorKind } from "./errors.ts"
export type { HpkeKeyPair } from "./kem.ts"
export { HpkeAead, HpkeKdf, HpkeKem, type HpkeProvider, HpkeSuite, type HpkeSuiteIds } from "./suite.ts"
