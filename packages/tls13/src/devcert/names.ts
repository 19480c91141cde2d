// The names in a certificate: distinguished names (RFC 5280 section 4.1.2.4) and GeneralNames (section 4.2.1.6).

import { asciiToBytes, utf8ToBytes } from "../bytes/text.ts"
import { contextConstructed, contextPrimitive, Tag } from "../x509/der.ts"
import { derOid, derSequence, derValue } from "../x509/der-writer.ts"

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
 * The name that people type: an IPv4 or IPv6 address, or a host name.
 * @throws RangeError for what is neither; internationalized names are given as A-labels (`xn--...`)
 */
export function toGeneralName(text: string): GeneralName {
  const address = parseIpAddress(text)
  if (address !== undefined) return { type: "ip", value: address }
  const value = text.toLowerCase()
  if (
    value.length > 253 ||
    !/^(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(value)
  ) {
    throw new RangeError(`${JSON.stringify(text)} is neither a host name (in ASCII, xn-- for others) nor an IP address`)
  }
  // A name that looks like an address is a mistyped address (RFC 9525 section 2 keeps the two apart).
  if (/(^|\.)[0-9]+$/.test(value)) throw new RangeError(`${JSON.stringify(text)} is not an IP address`)
  return { type: "dns", value }
}

/** The 4 or 16 bytes of an address in its usual text form (RFC 4291 section 2.2), or undefined. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".")
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256))
    return undefined
  return Uint8Array.from(parts, Number)
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, i) => groupBytes(half, i === halves.length - 1))
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const last = tail ?? []
  const missing = 16 - head.length - last.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...last])
}

/** The bytes of `1:2:ab`; the last part of the address may be an IPv4 address. undefined when a part is neither. */
function groupBytes(text: string, endsAddress: boolean): number[] | undefined {
  if (text === "") return []
  const bytes: number[] = []
  const parts = text.split(":")
  for (const [i, part] of parts.entries()) {
    const v4 = endsAddress && i === parts.length - 1 && part.includes(".") ? parseIpv4(part) : undefined
    if (v4 !== undefined) bytes.push(...v4)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff)
    else return undefined
  }
  return bytes
}
