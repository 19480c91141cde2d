// Distinguished names (RFC 5280 section 4.1.2.4): checked when parsed, compared by section 7.1, written by RFC 4514.

import { equalBytes } from "../../bytes/equal.ts"
import { toHex } from "../../bytes/hex.ts"
import { bytesToLatin1, bytesToUtf8, utf8ToBytes, visibleText } from "../../bytes/text.ts"
import { Der } from "../der/der.ts"
import { attributeNames } from "../der/oid-names.ts"
import * as Tag from "../der/tags.ts"
import { malformed, X509Error } from "../errors.ts"

/** A Name, kept as its DER (a view of the certificate); what is inside is read when somebody asks. */
export class DistinguishedName {
  /** The whole RDNSequence, header included. */
  readonly der: Uint8Array
  readonly isEmpty: boolean
  #key: string | undefined

  constructor(der: Uint8Array, isEmpty: boolean) {
    this.der = der
    this.isEmpty = isEmpty
  }

  /** A text that is the same for names that RFC 5280 section 7.1 calls the same. */
  get key(): string {
    this.#key ??= rdnsOf(this).map(rdnKey).join("\n")
    return this.#key
  }
}

export interface Attribute {
  readonly type: string
  /** Identifier octet of the value. */
  readonly tag: number
  readonly value: Uint8Array
}

/** A RelativeDistinguishedName: nearly always one attribute. */
export type Rdn = readonly Attribute[]

/** Names are compared and written attribute by attribute; nobody has so many. */
const mostAttributes = 128

/** Reads a Name and checks its structure. */
export function readName(der: Der, what: string): DistinguishedName {
  const from = der.at
  const sequence = der.sequence(what)
  const isEmpty = sequence.done
  let attributes = 0
  while (!sequence.done) {
    const set = sequence.enter(Tag.set, what)
    if (set.done) throw malformed(`${what} has a relative name without an attribute`)
    while (!set.done) {
      if (++attributes > mostAttributes)
        throw new X509Error("limit_exceeded", `${what} has more than ${mostAttributes} attributes`)
      const attribute = set.sequence(what)
      attribute.oid(what)
      attribute.skip(what)
      attribute.expectEnd(what)
    }
  }
  return new DistinguishedName(der.bytes.subarray(from, der.at), isEmpty)
}

/** The name in its parts, most significant first. */
export function rdnsOf(name: DistinguishedName): Rdn[] {
  const sequence = new Der(name.der).sequence("the name")
  const rdns: Rdn[] = []
  while (!sequence.done) {
    const set = sequence.enter(Tag.set, "the name")
    const attributes: Attribute[] = []
    while (!set.done) {
      const attribute = set.sequence("the name")
      const type = attribute.oid("the name")
      const tag = attribute.peek()
      attributes.push({ type, tag, value: attribute.content(tag, "the name") })
    }
    rdns.push(attributes)
  }
  return rdns
}

/** Every value of one attribute type as text, in the order of the name. */
export function attributeValues(name: DistinguishedName, type: string): string[] {
  const found: string[] = []
  for (const rdn of rdnsOf(name)) {
    for (const attribute of rdn) if (attribute.type === type) found.push(attributeText(attribute) ?? "")
  }
  return found
}

/** Text of a string value; undefined when it is not a string, or not one of its own kind. */
export function attributeText(attribute: Attribute): string | undefined {
  switch (attribute.tag) {
    case Tag.utf8String:
      return bytesToUtf8(attribute.value)
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.visibleString:
    case Tag.teletexString:
      return bytesToLatin1(attribute.value)
    case Tag.bmpString:
      return utf16(attribute.value)
    default:
      return undefined
  }
}

function utf16(bytes: Uint8Array): string | undefined {
  if (bytes.length % 2 !== 0) return undefined
  let text = ""
  for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode((bytes[i]! << 8) | bytes[i + 1]!)
  return text
}

/** RFC 5280 7.1 and RFC 4518: case is folded, white space is trimmed and pressed together, whatever the string type. */
function normalised(attribute: Attribute): string {
  const text = attributeText(attribute)
  if (text === undefined) return `${attribute.type}=#${attribute.tag}:${toHex(attribute.value)}`
  // Quoted, so that no value can look like two attributes.
  return `${attribute.type}=${JSON.stringify(text.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase())}`
}

function rdnKey(rdn: Rdn): string {
  return rdn.map(normalised).sort().join("+")
}

/** Whether two names are the same by RFC 5280 section 7.1. */
export function sameName(a: DistinguishedName, b: DistinguishedName): boolean {
  if (equalBytes(a.der, b.der)) return true
  if (a.isEmpty || b.isEmpty) return false
  return a.key === b.key
}

/** Whether `name` lies in the subtree of `base`: its first relative names are those of `base` (RFC 5280 section 4.2.1.10). */
export function nameIsWithin(name: DistinguishedName, base: DistinguishedName): boolean {
  const baseKey = base.key
  if (baseKey === "") return true
  const key = name.key
  return key === baseKey || key.startsWith(`${baseKey}\n`)
}

/** RFC 4514: most specific first, `CN=example.com,O=Example`. */
export function nameText(name: DistinguishedName): string {
  return rdnsOf(name)
    .reverse()
    .map((rdn) => rdn.map((a) => `${attributeNames[a.type] ?? a.type}=${escaped(a)}`).join("+"))
    .join(",")
}

/** RFC 4514 section 2.4: a backslash and two hexadecimal digits an octet. */
function hexPairs(character: string): string {
  return toHex(utf8ToBytes(character)).replace(/../g, "\\$&")
}

/** A text from a certificate as it may be shown: without control characters, and cut when it is long. */
export function shownText(text: string, limit = 200): string {
  const whole = text.length > limit ? `${text.slice(0, limit)}...` : text
  return visibleText(whole, "", hexPairs)
}

/** What needs no escape: nearly every name. */
const plain = /^[\w.@-]+( [\w.@-]+)*$/

function escaped(attribute: Attribute): string {
  const text = attributeText(attribute)
  if (text === undefined) return `#${toHex(attribute.value)}`
  if (plain.test(text)) return text
  return visibleText(text.replace(/[\\",+;<>]/g, "\\$&").replace(/^[# ]| $/g, "\\$&"), "", hexPairs)
}
