// What people call object identifiers.

import * as Oid from "./oids.ts"

/** Short attribute names of RFC 4514 section 3 and of common use. */
export const attributeNames: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.15": "businessCategory",
  "2.5.4.42": "GN",
  "2.5.4.97": "organizationIdentifier",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
}

/** What people call an extended key usage. */
export const usageNames: Readonly<Record<string, string>> = {
  [Oid.anyExtendedKeyUsage]: "any",
  [Oid.serverAuth]: "server authentication",
  [Oid.clientAuth]: "client authentication",
  [Oid.codeSigning]: "code signing",
  [Oid.emailProtection]: "e-mail protection",
  [Oid.timeStamping]: "time stamping",
  [Oid.ocspSigning]: "OCSP signing",
}

/** Extended key usages by short names. */
export type UsageName = "serverAuth" | "clientAuth" | "codeSigning" | "emailProtection" | "timeStamping" | "ocspSigning"

export function usageOid(name: UsageName): string {
  return usages[name]
}

const usages: Readonly<Record<UsageName, string>> = {
  serverAuth: Oid.serverAuth,
  clientAuth: Oid.clientAuth,
  codeSigning: Oid.codeSigning,
  emailProtection: Oid.emailProtection,
  timeStamping: Oid.timeStamping,
  ocspSigning: Oid.ocspSigning,
}
