// certificate_authorities (RFC 9846 section 4.3.4) and oid_filters (section 4.3.5).

import { InvalidMessage } from "../../bytes/errors.ts"
import { toHex } from "../../bytes/hex.ts"
import { Reader } from "../../bytes/reader.ts"
import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** `DistinguishedName authorities<3..2^16-1>`: DER names, each 1 to 65535 bytes. */
const authorities: ExtensionCodec<readonly Uint8Array[]> = {
  decode(data) {
    const list = new Reader(data.vector16("authorities", 3), "certificate_authorities")
    const names: Uint8Array[] = []
    while (list.remaining > 0) names.push(list.vector16("DistinguishedName", 1))
    return names
  },
  encode: (names, data) =>
    data.vector16((list) => {
      for (const name of names) list.vector16(name)
    }),
}

/** Bytes that the extension takes in a block of extensions, its type and length included. */
export function authoritiesLength(names: readonly Uint8Array[]): number {
  return names.reduce((sum, name) => sum + 2 + name.length, 6)
}

export interface OidFilter {
  /** DER OBJECT IDENTIFIER of a certificate extension, 1 to 255 bytes. */
  readonly oid: Uint8Array
  /** DER values that the certificate's extension must contain; empty: any. */
  readonly values: Uint8Array
}

/** `OIDFilter filters<0..2^16-1>`. */
const oidFilterList: ExtensionCodec<readonly OidFilter[]> = {
  decode(data) {
    const list = new Reader(data.vector16("filters"), "oid_filters")
    const filters: OidFilter[] = []
    const oids = new Set<string>()
    while (list.remaining > 0) {
      const filter = {
        oid: list.vector8("certificate_extension_oid", 1),
        values: list.vector16("certificate_extension_values"),
      }
      // Section 4.3.5: "There MUST NOT be more than one OID of the same type in the list."
      const oid = toHex(filter.oid)
      if (oids.has(oid)) throw new InvalidMessage("oid_filters names the same OID twice", "illegal_parameter")
      oids.add(oid)
      filters.push(filter)
    }
    return filters
  },
  encode: (filters, data) =>
    data.vector16((list) => {
      for (const filter of filters) list.vector8(filter.oid).vector16(filter.values)
    }),
}

export const certificateAuthorities: ExtensionRow<{ CH: readonly Uint8Array[]; CR: readonly Uint8Array[] }> = {
  type: 47,
  CH: authorities,
  CR: authorities,
}

export const oidFilters: ExtensionRow<{ CR: readonly OidFilter[] }> = {
  type: 48,
  CR: oidFilterList,
}
