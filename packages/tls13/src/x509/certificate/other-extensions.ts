// Extensions that RFC 5280 does not have, and that have a meaning for those alone who ask: read when they do.

import { type Der, readWhole } from "../der/der.ts"
import * as Oid from "../der/oids.ts"
import type { Extensions } from "./extensions.ts"

/** DelegationUsage (RFC 9345 section 4.2): whether the key may sign delegated credentials. @throws X509Error `malformed` */
export function hasDelegationUsage(extensions: Extensions): boolean {
  const isNull = (der: Der): true => {
    der.null("delegationUsage")
    return true
  }
  return read(extensions, Oid.delegationUsage, isNull) ?? false
}

/** The SignedCertificateTimestampList of RFC 6962 section 3.3, where there is one. @throws X509Error `malformed` */
export function timestampList(extensions: Extensions): Uint8Array | undefined {
  return read(extensions, Oid.signedCertificateTimestamps, (der) => der.octetString("signedCertificateTimestamps"))
}

function read<Value>({ others }: Extensions, oid: string, reader: (der: Der) => Value): Value | undefined {
  const value = others.get(oid)
  return value && readWhole(value, `the extension ${oid}`, reader)
}
