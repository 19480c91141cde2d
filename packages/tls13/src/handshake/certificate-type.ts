// Certificate types (RFC 7250) by their numbers.

import { Misuse } from "../bytes/errors.ts"
import { CertificateTypeCode } from "../codec/extensions/certificate-type.ts"
import type { CertificateType } from "../x509/interfaces.ts"

export function certificateTypeCode(type: CertificateType): number {
  return CertificateTypeCode[type]
}

export function certificateTypeOf(code: number): CertificateType | undefined {
  if (code === CertificateTypeCode.X509) return "X509"
  if (code === CertificateTypeCode.RawPublicKey) return "RawPublicKey"
  return undefined
}

/** @throws Misuse for what is no list of types */
export function checkCertificateTypes(types: Readonly<Record<"client" | "server", readonly CertificateType[]>>): void {
  for (const side of ["client", "server"] as const) {
    const list: readonly unknown[] = types[side]
    if (list.length === 0) throw new Misuse(`certificateTypes.${side} is empty`)
    const odd = list.find((type) => type !== "X509" && type !== "RawPublicKey")
    if (odd === undefined) continue
    throw new Misuse(`certificateTypes.${side} is ${JSON.stringify(odd)}; it must be one of X509, RawPublicKey`)
  }
}
