// RFC 9846 section 4.3.5: the certificate extensions that a server asks a client's certificate to have. Matching rules are
// defined for keyUsage and extKeyUsage; extensions of other types are those that we "MUST ignore and skip".

import { type Der, readWhole } from "../der/der.ts"
import * as Oid from "../der/oids.ts"
import { attempt, X509Error } from "../errors.ts"
import type { OidFilter } from "../interfaces.ts"
import { parseCertificate } from "./certificate.ts"

/** Whether a certificate has "all of the specified extension OIDs that the client recognizes", with all of their values. */
export function matchesOidFilters(certificate: Uint8Array, filters: readonly OidFilter[]): boolean {
  if (filters.length === 0) return true
  const { keyUsage, extKeyUsage } = parseCertificate(certificate).extensions
  return filters.every(({ oid, values }) => {
    switch (read(oid, (der) => der.oid("certificate_extension_oid"))) {
      case Oid.keyUsage: {
        const bits = values.length === 0 ? 0 : read(values, (der) => der.namedBits("keyUsage"))
        return bits !== undefined && keyUsage !== undefined && (keyUsage & bits) === bits
      }
      case Oid.extKeyUsage: {
        const wanted = values.length === 0 ? [] : read(values, keyPurposes)
        if (wanted === undefined || extKeyUsage === undefined) return false
        return wanted.every((purpose) => extKeyUsage.includes(purpose))
      }
      default:
        return true
    }
  })
}

function keyPurposes(der: Der): string[] {
  const sequence = der.sequence("extKeyUsage")
  const purposes: string[] = []
  while (!sequence.done) purposes.push(sequence.oid("extKeyUsage"))
  return purposes
}

/** undefined for bytes that are no such value: nothing matches what cannot be read. */
function read<T>(bytes: Uint8Array, reader: (der: Der) => T): T | undefined {
  const value = attempt(() => readWhole(bytes, "oid_filters", reader))
  return value instanceof X509Error ? undefined : value
}
