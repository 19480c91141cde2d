// The entry `@puremq/tls13/x509`: certificates, keys and their validation, usable without TLS.

export type { EcCurve, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey } from "../crypto/keys.ts"
export type { SignatureIdentifier } from "./algorithm.ts"
export {
  type Certificate,
  certificateBytes,
  isSelfIssued,
  parseCertificate,
  parseCertificates,
  subjectText,
} from "./certificate.ts"
export {
  type CredentialSource,
  credentialFits,
  credentialNames,
  keySigner,
  loadCredential,
  loadRawPublicKey,
  singleCredential,
  sniResolver,
} from "./credential.ts"
export { type Attribute, attributeValues, type DistinguishedName, nameText, sameName } from "./distinguished-name.ts"
export { type Reason, reasonAlerts, X509Error } from "./errors.ts"
export { type Extensions, KeyUsage } from "./extensions.ts"
export { type GeneralName, generalNameText } from "./general-name.ts"
export type * from "./interfaces.ts"
export { matchDnsName, matchNames, type ReferenceIdentity, referenceHost } from "./name.ts"
export { type PemBlock, parsePem, toPem } from "./pem.ts"
export { type LoadedPrivateKey, parsePrivateKey } from "./private-key.ts"
export { encodeSpki, keyBits, parseSpki } from "./spki.ts"
