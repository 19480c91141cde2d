// The names in a certificate: distinguished names (RFC 5280 section 4.1.2.4) and GeneralNames (section 4.2.1.6).

import { parseAddress } from "../bytes/ip-address.ts"
import { asciiToBytes, utf8ToBytes } from "../bytes/text.ts"
import { contextConstructed, contextPrimitive } from "../x509/der/der.ts"
import { derOid, derSequence, derValue } from "../x509/der/der-writer.ts"
import * as Tag from "../x509/der/tags.ts"
import { isHostName, isWildcard } from "../x509/names/dns-name.ts"

/** Attributes of a distinguished name, written in the order of this list. An empty object is an empty name. */
export interface NameAttributes {
  /** Two letters. */
  readonly country?: string
  readonly organization?: string
  readonly organizationalUnit?: string
  readonly commonName?: string
}

const attributes: readonly { readonly key: keyof NameAttributes; readonly oid: string; readonly tag: number }[] = [
  { key: "country", oid: "2.5.4.6", tag: Tag.printableString },
  { key: "organization", oid: "2.5.4.10", tag: Tag.utf8String },
  { key: "organizationalUnit", oid: "2.5.4.11", tag: Tag.utf8String },
  { key: "commonName", oid: "2.5.4.3", tag: Tag.utf8String },
]

/** DER Name: one attribute a RelativeDistinguishedName. */
export function encodeName(name: NameAttributes): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { key, oid, tag } of attributes) {
    const value = name[key]
    if (value === undefined) continue
    parts.push(derValue(Tag.set, derSequence(derOid(oid), derValue(tag, utf8ToBytes(value)))))
  }
  return derSequence(...parts)
}

/** One name of a subjectAltName. */
export type GeneralName =
  | {
      readonly type: "dns" /** as it goes into the certificate: A-labels, a wildcard allowed */
      readonly value: string
    }
  | {
      readonly type: "ip" /** 4 or 16 bytes; 8 or 32 in name constraints, where a mask follows */
      readonly value: Uint8Array
    }
  | { readonly type: "email" | "uri"; readonly value: string }
  | { readonly type: "directory"; readonly value: NameAttributes }

export function encodeGeneralName(name: GeneralName): Uint8Array {
  switch (name.type) {
    case "email":
      return derValue(contextPrimitive(1), asciiToBytes(name.value))
    case "dns":
      return derValue(contextPrimitive(2), asciiToBytes(name.value))
    case "directory":
      return derValue(contextConstructed(4), encodeName(name.value))
    case "uri":
      return derValue(contextPrimitive(6), asciiToBytes(name.value))
    case "ip":
      return derValue(contextPrimitive(7), name.value)
  }
}

/**
 * The name that people type: an IPv4 or IPv6 address, a host name, a wildcard such as `*.example.com`, a mailbox
 * (`device@example.com`), a URI with its scheme (`spiffe://example.com/device`, `urn:dev:7`); or with its kind before it:
 * `DNS:`, `IP:`, `email:`, `URI:`.
 * @throws RangeError for what is none of them; internationalized names are given as A-labels (`xn--...`)
 */
export function toGeneralName(text: string): GeneralName {
  const [, kind, value = ""] = /^(?:(DNS|IP|email|URI):)?(.*)$/s.exec(text) ?? []
  const is = (name: string, form: boolean): boolean => kind === name || (kind === undefined && form)
  const ascii = /^[\x21-\x7e]+$/.test(value)
  const address = is("IP", true) ? parseAddress(value) : undefined
  if (address !== undefined) return { type: "ip", value: address }
  // Names in private networks have underscores.
  if (is("DNS", true) && (isHostName(value, true) || isWildcard(value, true)))
    return { type: "dns", value: value.toLowerCase() }
  if (ascii && is("URI", /^([a-z][a-z0-9+.-]*:\/\/|urn:)./i.test(value))) return { type: "uri", value }
  if (ascii && is("email", true) && /^[^@]+@[^@]+$/.test(value)) return { type: "email", value }
  throw new RangeError(
    `${JSON.stringify(text)} is neither a host name (in ASCII, xn-- for others), an IP address, a mailbox nor a URI`,
  )
}
