// GeneralName (RFC 5280 section 4.2.1.6), and the forms that section 4.2.1.10 gives it in name constraints.

import { addressText } from "../../bytes/ip-address.ts"
import { bytesToAscii } from "../../bytes/text.ts"
import { contextConstructed, contextPrimitive, type Der } from "../der/der.ts"
import { malformed } from "../errors.ts"
import { type DistinguishedName, nameText, readName, shownText } from "./distinguished-name.ts"

export type GeneralName =
  | { readonly kind: "dns" | "email" | "uri"; readonly value: string }
  /** 4 or 16 bytes; in a constraint 8 or 32, the second half the mask. */
  | { readonly kind: "ip"; readonly bytes: Uint8Array }
  | { readonly kind: "directory"; readonly name: DistinguishedName }
  | { readonly kind: "other"; readonly typeId: string; readonly value: Uint8Array }
  | { readonly kind: "registeredId"; readonly oid: string }
  | { readonly kind: "x400" | "ediParty"; readonly der: Uint8Array }

/** Reads one GeneralName; an iPAddress must have one of the given lengths. */
export function readGeneralName(der: Der, what: string, addressLengths: readonly number[]): GeneralName {
  const tag = der.peek()
  switch (tag) {
    case contextConstructed(0): {
      const other = der.enter(tag, what)
      const typeId = other.oid(what)
      const wrapped = other.enter(contextConstructed(0), what)
      other.expectEnd(what)
      const value = wrapped.element(what)
      wrapped.expectEnd(what)
      return { kind: "other", typeId, value }
    }
    case contextPrimitive(1):
      return { kind: "email", value: ia5(der, tag, what) }
    case contextPrimitive(2):
      return { kind: "dns", value: ia5(der, tag, what) }
    case contextConstructed(3):
      return { kind: "x400", der: der.content(tag, what) }
    case contextConstructed(4): {
      // Name is a CHOICE, so its tag is explicit (X.680 31.2.7).
      const wrapped = der.enter(tag, what)
      const name = readName(wrapped, what)
      wrapped.expectEnd(what)
      return { kind: "directory", name }
    }
    case contextConstructed(5):
      return { kind: "ediParty", der: der.content(tag, what) }
    case contextPrimitive(6):
      return { kind: "uri", value: ia5(der, tag, what) }
    case contextPrimitive(7): {
      const bytes = der.content(tag, what)
      if (!addressLengths.includes(bytes.length)) throw malformed(`${what} has an iPAddress of ${bytes.length} bytes`)
      return { kind: "ip", bytes }
    }
    case contextPrimitive(8):
      return { kind: "registeredId", oid: der.oid(what, tag) }
    default:
      throw malformed(`${what} has a name of an unknown form`)
  }
}

/** RFC 5280 7.2: IA5String is ASCII; internationalised names are stored as A-labels. */
function ia5(der: Der, tag: number, what: string): string {
  const text = bytesToAscii(der.content(tag, what))
  if (text === undefined)
    throw malformed(`${what} has a character outside ASCII; internationalised names are stored as A-labels (xn--...)`)
  return text
}

/** `DNS:example.com`, `IP:192.0.2.1` ... */
export function generalNameText(name: GeneralName): string {
  switch (name.kind) {
    case "dns":
      return `DNS:${shownText(name.value)}`
    case "email":
      return `email:${shownText(name.value)}`
    case "uri":
      return `URI:${shownText(name.value)}`
    case "ip":
      return `IP:${addressText(name.bytes)}`
    case "directory":
      return `DirName:${nameText(name.name)}`
    case "other":
      return `otherName:${name.typeId}`
    case "registeredId":
      return `registeredID:${name.oid}`
    default:
      return name.kind
  }
}
