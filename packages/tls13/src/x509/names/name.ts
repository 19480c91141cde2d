// Service identity (RFC 9525): which presented identifiers of a certificate match the reference identity that the
// application wants. DNS-ID with the one wildcard rule of section 6.3, IP-ID (section 6.4), SRV-ID and URI-ID (section 6.5 and
// 6.2). The common name is never looked at (section 2). Reference names are A-labels: U-labels are refused, not guessed.

import { equalBytes } from "../../bytes/equal.ts"
import { parseAddress } from "../../bytes/ip-address.ts"
import { bytesToAscii } from "../../bytes/text.ts"
import type { Certificate } from "../certificate/certificate.ts"
import { Der } from "../der/der.ts"
import * as Oid from "../der/oids.ts"
import * as Tag from "../der/tags.ts"
import { X509Error } from "../errors.ts"
import { isHostName, isWildcard } from "./dns-name.ts"
import { type GeneralName, generalNameText } from "./general-name.ts"
import { uriHost } from "./name-constraints.ts"

/** What the application wants to reach. */
export type ReferenceIdentity =
  /** An A-label host name, without final dot. */
  | { readonly kind: "dns"; readonly name: string }
  | { readonly kind: "ip"; readonly address: Uint8Array }
  /** `imaps` or `_imaps` at a domain (RFC 4985). */
  | { readonly kind: "srv"; readonly service: string; readonly name: string }
  /** The scheme and host of a URI (RFC 9525 section 6.2). */
  | { readonly kind: "uri"; readonly scheme: string; readonly name: string }
  | { readonly kind: "email"; readonly address: string }

/**
 * The reference identity of a host as people write it: a name or an address (IPv6 also in brackets). One final dot is
 * taken away (RFC 9525 has names without it).
 * @throws X509Error `invalid_reference_name` when it is neither; names in Unicode must be given as A-labels
 */
export function referenceHost(host: string): ReferenceIdentity {
  const address = parseAddress(host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host)
  if (address !== undefined) return { kind: "ip", address }
  const name = host.endsWith(".") ? host.slice(0, -1) : host
  if (isHostName(name, true)) return { kind: "dns", name: name.toLowerCase() }
  const unicode = /[^\x21-\x7e]/.test(name)
  throw new X509Error(
    "invalid_reference_name",
    unicode
      ? `${JSON.stringify(host)} is not ASCII; give internationalised names as A-labels (xn--...)`
      : `${JSON.stringify(host)} is neither a host name nor an IP address`,
  )
}

/**
 * RFC 9525 section 6.3: whether a presented dNSName matches a reference name. A wildcard is the whole left-most label, stands
 * for exactly one label, and is followed by at least two.
 */
export function matchDnsName(presented: string, reference: string): boolean {
  const name = presented.toLowerCase()
  const wanted = reference.toLowerCase()
  if (!name.startsWith("*.")) return name === wanted && isHostName(name, true)
  const dot = wanted.indexOf(".")
  // *.com is as good as a certificate for everybody: CA/B Forum 3.2.2.6 forbids it, and no browser takes it.
  if (dot <= 0 || !isWildcard(name, true) || !name.slice(2).includes(".")) return false
  // RFC 9525 6.3: the wildcard stands for a label of the reference, which may itself be an A-label.
  return wanted.slice(dot + 1) === name.slice(2)
}

/** Whether one of the names is the reference identity. */
export function matchNames(names: readonly GeneralName[], reference: ReferenceIdentity): boolean {
  return names.some((name) => matchName(name, reference))
}

function matchName(name: GeneralName, reference: ReferenceIdentity): boolean {
  switch (reference.kind) {
    case "dns":
      return name.kind === "dns" && matchDnsName(name.value, reference.name)
    case "ip":
      return name.kind === "ip" && equalBytes(name.bytes, reference.address)
    case "srv":
      return (
        name.kind === "other" && name.typeId === Oid.dnsSrv && matchSrv(name.value, reference.service, reference.name)
      )
    case "uri":
      return name.kind === "uri" && matchUri(name.value, reference.scheme, reference.name)
    case "email":
      return name.kind === "email" && matchEmail(name.value, reference.address)
  }
}

function matchSrv(value: Uint8Array, service: string, name: string): boolean {
  const der = new Der(value)
  if (der.peek() !== Tag.ia5String) return false
  const text = bytesToAscii(der.content(Tag.ia5String, "SRVName"))
  const dot = text?.indexOf(".") ?? -1
  if (text === undefined || dot < 0) return false
  const wanted = service.startsWith("_") ? service : `_${service}`
  return text.slice(0, dot).toLowerCase() === wanted.toLowerCase() && matchDnsName(text.slice(dot + 1), name)
}

function matchUri(value: string, scheme: string, name: string): boolean {
  const colon = value.indexOf(":")
  const host = uriHost(value)
  // RFC 9525 6.5: the scheme is compared without case, the host as a DNS-ID without wildcard.
  return (
    host !== undefined &&
    value.slice(0, colon).toLowerCase() === scheme.toLowerCase() &&
    host.toLowerCase() === name.toLowerCase()
  )
}

/** RFC 5280 7.5: the local part exactly, the host without case. */
function matchEmail(a: string, b: string): boolean {
  const split = (text: string): [string, string] => [
    text.slice(0, text.lastIndexOf("@")),
    text.slice(text.lastIndexOf("@") + 1).toLowerCase(),
  ]
  const [localA, hostA] = split(a)
  const [localB, hostB] = split(b)
  return localA === localB && hostA === hostB && localA !== ""
}

/** A sentence for a certificate that is for somebody else, or undefined when it is for the reference identity. */
export function nameProblem(certificate: Certificate, reference: ReferenceIdentity): X509Error | undefined {
  const names = certificate.extensions.subjectAltName ?? []
  if (matchNames(names, reference)) return undefined
  const wanted = referenceText(reference)
  if (names.length === 0) {
    return new X509Error(
      "no_names",
      `the certificate has no subjectAltName, so it is not for ${wanted}; the common name does not count (RFC 9525). Issue it with a subjectAltName`,
    )
  }
  const shown = names.slice(0, 5).map(generalNameText).join(", ")
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ""
  return new X509Error(
    "name_mismatch",
    `the certificate is for ${shown}${more}, not for ${wanted}; connect by a name that it has, or issue one for this name`,
  )
}

function referenceText(reference: ReferenceIdentity): string {
  switch (reference.kind) {
    case "dns":
      return reference.name
    case "ip":
      return reference.address.length === 4
        ? reference.address.join(".")
        : generalNameText({ kind: "ip", bytes: reference.address }).slice(3)
    case "srv":
      return `_${reference.service.replace(/^_/, "")}.${reference.name}`
    case "uri":
      return `${reference.scheme}://${reference.name}`
    case "email":
      return reference.address
  }
}
