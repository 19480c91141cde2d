// A certificate as its DER: every value with its place, its type, and the name that the parser gives to it.

import { codePointName, Der, Tag, toHex } from "@puremq/tls13/explore"
import { parseCertificate, parseSpki, X509Error } from "@puremq/tls13/x509"
import { recorder } from "../recording/recorder.ts"
import type { Site, Span } from "../recording/spans.ts"

export interface DerNode {
  /** Of the first identifier octet, from the beginning of the certificate. */
  readonly start: number
  readonly end: number
  /** Where its content begins. */
  readonly content: number
  /** `SEQUENCE`, `[0]`, `OBJECT IDENTIFIER`. */
  readonly type: string
  /** What the parser calls it; "" when it looked at it as a part of something. */
  readonly name: string
  readonly site: Site | undefined
  /** For people: a text, a number, an object identifier, a time; undefined when it has parts, or is bytes. */
  readonly value: string | undefined
  readonly parts: readonly DerNode[]
}

/** @throws X509Error for what is no certificate */
export function derTree(certificate: Uint8Array): DerNode {
  return treeOf(certificate, () => parseCertificate(certificate).der)
}

/** Of a raw public key; without names when it is of an algorithm that the parser does not know. @throws X509Error for what is no DER */
export function spkiTree(key: Uint8Array): DerNode {
  return treeOf(key, () => {
    try {
      const read = parseSpki(key)
      // It reads a copy, and what it gives are views of that.
      const view = "point" in read ? read.point : "bytes" in read ? read.bytes : read.modulus
      return new Uint8Array(view.buffer)
    } catch (error) {
      if (error instanceof X509Error) return undefined
      throw error
    }
  })
}

function treeOf(certificate: Uint8Array, parse: () => Uint8Array | undefined): DerNode {
  const spans = recorder.readingOf(certificate, parse)
  const named = new Map<string, Span>()
  // The same value read again under another name: the more particular one comes first, from inside.
  for (const span of spans) {
    const place = `${span.start} ${span.end}`
    const before = named.get(place)
    if (before === undefined || (before.site === undefined && span.site !== undefined)) named.set(place, span)
  }
  return nodes(certificate, 0, certificate.length, named)[0]!
}

function nodes(bytes: Uint8Array, from: number, to: number, named: ReadonlyMap<string, Span>): DerNode[] {
  const found: DerNode[] = []
  const der = new Der(bytes, from, to)
  while (!der.done) {
    const start = der.at
    const tag = bytes[start]!
    const end = der.skip("value")
    const content = start + headerLength(bytes, start)
    const span = named.get(`${start} ${end}`)
    const parts = partsOf(bytes, tag, content, end, named)
    const plain = parts.length > 0 ? undefined : valueText(bytes, tag, start, content, end)
    // RFC 5280 section 4.1.2.1: 0 is v1.
    const value = span?.name === "version" && plain !== undefined ? `${plain} (v${Number(plain) + 1})` : plain
    found.push({ start, end, content, type: typeName(tag), name: span?.name ?? "", site: span?.site, value, parts })
  }
  return found
}

function headerLength(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1]!
  return length < 0x80 ? 2 : 2 + (length & 0x7f)
}

/** Of a constructed value; and of a string that holds DER itself, as extensions and keys do. */
function partsOf(
  bytes: Uint8Array,
  tag: number,
  from: number,
  to: number,
  named: ReadonlyMap<string, Span>,
): DerNode[] {
  if ((tag & 0x20) !== 0) return nodes(bytes, from, to, named)
  const inside = tag === Tag.octetString ? from : tag === Tag.bitString && bytes[from] === 0 ? from + 1 : undefined
  if (inside === undefined || to - inside < 2) return []
  try {
    const parts = nodes(bytes, inside, to, named)
    // Bytes that happen to read as DER are hardly ever one whole value of a type that stands there.
    return parts.length === 1 && [Tag.sequence, Tag.octetString, Tag.bitString].includes(bytes[inside]! as 48)
      ? parts
      : []
  } catch {
    return []
  }
}

function typeName(tag: number): string {
  if ((tag & 0xc0) === 0x80) return `[${tag & 0x1f}]`
  const name = codePointName(Tag, tag)
  return typeNames[name] ?? name
}

const typeNames: Readonly<Record<string, string>> = {
  boolean: "BOOLEAN",
  integer: "INTEGER",
  bitString: "BIT STRING",
  octetString: "OCTET STRING",
  null: "NULL",
  oid: "OBJECT IDENTIFIER",
  enumerated: "ENUMERATED",
  utf8String: "UTF8String",
  printableString: "PrintableString",
  teletexString: "TeletexString",
  ia5String: "IA5String",
  utcTime: "UTCTime",
  generalizedTime: "GeneralizedTime",
  visibleString: "VisibleString",
  sequence: "SEQUENCE",
  set: "SET",
}

const texts: readonly number[] = [
  ...[Tag.utf8String, Tag.printableString, Tag.ia5String, Tag.visibleString, Tag.utcTime, Tag.generalizedTime],
]

function valueText(bytes: Uint8Array, tag: number, start: number, content: number, end: number): string | undefined {
  const octets = bytes.subarray(content, end)
  if (tag === Tag.oid) return new Der(bytes, start, end).oid("value")
  if (tag === Tag.boolean) return octets[0] === 0 ? "FALSE" : "TRUE"
  if (tag === Tag.integer && octets.length <= 4) return `${octets.reduce((sum, octet) => sum * 256 + octet, 0)}`
  if (tag === Tag.integer) return `0x${toHex(octets)}`
  // [1], [2] and [6] of a GeneralName are IA5Strings: e-mail, dNSName, URI.
  const isName = [0x81, 0x82, 0x86].includes(tag) && octets.every((octet) => octet >= 0x20 && octet < 0x7f)
  if (texts.includes(tag) || isName) return String.fromCharCode(...octets)
  return undefined
}
