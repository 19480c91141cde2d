// Entry `@puremq/tls13/devcert`: an authority of one's own and certificates for development and tests.

export {
  type AuthorityOptions,
  createAuthority,
  createLeaf,
  type Identity,
  type IssuingOptions,
  type LeafOptions,
} from "./authority.ts"
export { type CertificateContents, encodeTime, issueCertificate } from "./certificate.ts"
export {
  certificateToPem,
  chainToPem,
  createDevelopmentCertificates,
  type DevelopmentCertificates,
  type DevelopmentOptions,
} from "./development.ts"
export {
  authorityKeyIdentifier,
  basicConstraints,
  delegationUsage,
  type Extension,
  extendedKeyUsage,
  type KeyUsage,
  keyIdentifier,
  keyUsage,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts"
export { encodePkcs8, generateKeyPair, type KeyPair, type KeyType, privateKeyToPem } from "./keys.ts"
export {
  encodeGeneralName,
  encodeName,
  type GeneralName,
  type NameAttributes,
  toGeneralName,
} from "./names.ts"
export { createRevocationList, type RevocationListOptions } from "./revocation-list.ts"
