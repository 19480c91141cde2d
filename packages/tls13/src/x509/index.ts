// The entry `@puremq/tls13/x509`: certificates, keys and their validation, usable without TLS.

export type { EcCurve, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey } from "../crypto/keys.ts"
export { schemesOfKey } from "../crypto/signature-schemes.ts"
export {
  type Certificate,
  certificateBytes,
  isSelfIssued,
  maximumCertificateBytes,
  parseCertificate,
  parseCertificates,
  subjectText,
} from "./certificate/certificate.ts"
export {
  type CredentialSource,
  credentialFits,
  credentialNames,
  keySigner,
  loadCredential,
  loadRawPublicKey,
  remoteCredential,
  singleCredential,
  sniResolver,
} from "./certificate/credential.ts"
export type { Extensions } from "./certificate/extensions.ts"
export { readLeafKey } from "./certificate/leaf-key.ts"
export { matchesOidFilters } from "./certificate/oid-filters.ts"
export { usesMlDsa } from "./certificate/uses-ml-dsa.ts"
export {
  createDelegatedCredential,
  type DelegatedSource,
  type DelegationOptions,
  delegatedCredentialToPem,
  loadDelegatedCredential,
} from "./delegated/own.ts"
export { acceptDelegatedCredentials, type DelegatedCredentialRules } from "./delegated/verifier.ts"
export { type UsageName, usageOid } from "./der/oid-names.ts"
export { type PemBlock, parsePem, toPem } from "./der/pem.ts"
export { type TextFile, textOfFile } from "./der/text-file.ts"
export {
  type CertificateDescription,
  type ChainDescription,
  type DescribeOptions,
  describeCertificate,
  describeChainAsData,
  keyText,
  type UnreadableDescription,
} from "./describe/describe.ts"
export { describeChain } from "./describe/describe-text.ts"
export { type Reason, reasonAlerts, X509Error } from "./errors.ts"
export type * from "./interfaces.ts"
export type { SignatureIdentifier } from "./keys/algorithm.ts"
export { isPinned, type Pin, parsePin, spkiHash } from "./keys/pins.ts"
export { type LoadedPrivateKey, parsePrivateKey } from "./keys/private-key.ts"
export { encodeSpki, keyBits, parseSpki } from "./keys/spki.ts"
export type { Moment, UnknownTime } from "./moment.ts"
export { KeyUsage, Oid } from "./named-constants.ts"
export { type Attribute, attributeValues, DistinguishedName, nameText, sameName } from "./names/distinguished-name.ts"
export { type GeneralName, generalNameText } from "./names/general-name.ts"
export { type IdentityRule, identityName, identityRules } from "./names/identity.ts"
export { matchDnsName, matchNames, nameProblem, type ReferenceIdentity, referenceHost } from "./names/name.ts"
export { type PathRequest, type PathVerdict, validatePath } from "./path/path.ts"
export type { PathBudget, PathProblem } from "./path/path-problem.ts"
export { type Profile, usualProfile } from "./path/path-rules.ts"
export {
  type AnchorConstraints,
  type TrustAnchor,
  TrustStore,
  trustAnchor,
  trustStoreFromPem,
  trustStoreOfUsable,
} from "./path/trust.ts"
export { createCertificateVerifier, type VerifierOptions } from "./path/verifier.ts"
export {
  type Crl,
  type CrlScope,
  CrlStore,
  parseCrl,
  parseCrls,
  type RevocationStatus,
  type RevokedEntry,
} from "./revocation/crl.ts"
export { type OcspResponse, ocspStatus, parseOcspResponse } from "./revocation/ocsp.ts"
export { type RevocationMode, type RevocationOptions, revocationProblem } from "./revocation/revocation.ts"
export { checkTransparency, type TransparencyLog, type TransparencyRules } from "./transparency/verifier.ts"
