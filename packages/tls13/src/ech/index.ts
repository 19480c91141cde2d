// The entry `@puremq/tls13/ech`: Encrypted Client Hello (RFC 9849). What a client or a server offers of it is a value that is
// passed in with the options, so who does not use it does not carry it.

export {
  decodeEchConfigList,
  type EchCipherSuite,
  type EchConfig,
  encodeEchConfig,
  encodeEchConfigList,
} from "./config.ts"
export { EncryptedClientHelloRejected } from "./errors.ts"
export { type EchGrease, type GreaseOptions, greaseEncryptedClientHello } from "./grease.ts"
export { type EchKey, type EchKeyOptions, generateEchKey } from "./key.ts"
export { EchKeyRing, type EchKeyRingOptions, type EchServerKey } from "./key-ring.ts"
export { type EchOffer, type OfferOptions, offerEncryptedClientHello } from "./offer.ts"
export { echConfigListFromPem, echConfigListToPem, echKeysFromPem, echKeyToPem } from "./pem.ts"
export { publicNameProblem } from "./public-name.ts"
