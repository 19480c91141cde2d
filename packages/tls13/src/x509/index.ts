// The entry `@puremq/tls13/x509`: certificates, keys and their validation, usable without TLS.

export type { EcCurve, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey } from "../crypto/keys.ts"
export type { SignatureIdentifier } from "./algorithm.ts"
export {
  type Certificate,
  certificateBytes,
  isSelfIssued,
  maximumCertificateBytes,
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
  remoteCredential,
  singleCredential,
  sniResolver,
} from "./credential.ts"
export {
  type Crl,
  type CrlScope,
  CrlStore,
  parseCrl,
  parseCrls,
  type RevocationStatus,
  type RevokedEntry,
} from "./crl.ts"
export {
  type CertificateDescription,
  type ChainDescription,
  type DescribeOptions,
  describeCertificate,
  describeChainAsData,
  keyText,
  type UnreadableDescription,
} from "./describe.ts"
export { describeChain } from "./describe-text.ts"
export { type Attribute, attributeValues, DistinguishedName, nameText, sameName } from "./distinguished-name.ts"
export { type Reason, reasonAlerts, X509Error } from "./errors.ts"
export { type Extensions, KeyUsage } from "./extensions.ts"
export { type GeneralName, generalNameText } from "./general-name.ts"
export { type IdentityRule, identityName, identityRules } from "./identity.ts"
export type * from "./interfaces.ts"
export { readLeafKey } from "./leaf-key.ts"
export { matchDnsName, matchNames, nameProblem, type ReferenceIdentity, referenceHost } from "./name.ts"
export { type OcspResponse, ocspStatus, parseOcspResponse } from "./ocsp.ts"
export { matchesOidFilters } from "./oid-filters.ts"
export { Oid, type UsageName, usageOid } from "./oids.ts"
export { type PathRequest, type PathVerdict, validatePath } from "./path.ts"
export type { PathBudget, PathProblem } from "./path-problem.ts"
export { type Profile, usualProfile } from "./path-rules.ts"
export { type PemBlock, parsePem, toPem } from "./pem.ts"
export { isPinned, type Pin, parsePin, spkiHash } from "./pins.ts"
export { type LoadedPrivateKey, parsePrivateKey } from "./private-key.ts"
export { type RevocationMode, type RevocationOptions, revocationProblem } from "./revocation.ts"
export { encodeSpki, keyBits, parseSpki } from "./spki.ts"
export { type TextFile, textOfFile } from "./text-file.ts"
export {
  type AnchorConstraints,
  type TrustAnchor,
  TrustStore,
  trustAnchor,
  trustStoreFromPem,
  trustStoreOfUsable,
} from "./trust.ts"
export { createCertificateVerifier, type VerifierOptions } from "./verifier.ts"
