// What WebCrypto can do for a handshake, on any runtime that has it: sign with a key that cannot be extracted, and exchange keys.

export {
  type SubtleKeyExchange,
  type WebCryptoGroup,
  type WebCryptoKeyPair,
  webCryptoGroups,
  webCryptoKeyExchange,
} from "./key-exchange.ts"
export {
  ecdsaSignatureToDer,
  type SubtleSigner,
  type WebCryptoKey,
  type WebCryptoSigner,
  webCryptoSigner,
} from "./signer.ts"
