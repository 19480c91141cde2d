// Pinned keys: public keys that the application knows beforehand, by the SHA-256 of their SubjectPublicKeyInfo (as RFC 7469
// section 2.4 counts it) or by the SubjectPublicKeyInfo itself.

import { equalBytes } from "../../bytes/equal.ts"
import { fromHex } from "../../bytes/hex.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { parsePem } from "../der/pem.ts"
import { X509Error } from "../errors.ts"

/** A 32-byte SHA-256, or a DER SubjectPublicKeyInfo. */
export type Pin = Uint8Array

/**
 * A pin as people write it: `sha256/` and base64, 64 hexadecimal digits (colons allowed), or a PEM PUBLIC KEY.
 * @throws X509Error when it is none of them
 */
export function parsePin(text: string): Pin {
  if (text.includes("-----BEGIN")) {
    const block = parsePem(text).find((each) => each.label === "PUBLIC KEY")
    if (block) return block.der
  }
  const hex = text.replace(/:/g, "").trim()
  if (/^[0-9a-f]{64}$/i.test(hex)) return fromHex(hex)
  // 43 digits of 6 bits are 256 bits and two more, which are zero.
  const base64 = /^sha256\/([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048])=?$/.exec(text.trim())?.[1]
  if (base64) return parsePem(`-----BEGIN PIN-----\n${base64}=\n-----END PIN-----`)[0]!.der
  const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text
  throw new X509Error(
    "malformed",
    `${JSON.stringify(shown)} is no pin; write sha256/BASE64, 64 hexadecimal digits, or a PEM PUBLIC KEY`,
  )
}

/** SHA-256 of a DER SubjectPublicKeyInfo, by the provider; undefined when it has no SHA-256. */
export function spkiHash(spki: Uint8Array, provider: CryptoProvider): Uint8Array | undefined {
  return provider.cipherSuites.find((suite) => suite.hash.name === "sha256")?.hash.digest(spki)
}

/** Whether a key is among the pinned ones. */
export function isPinned(spki: Uint8Array, pins: readonly Pin[], provider: CryptoProvider): boolean {
  const hash = spkiHash(spki, provider)
  return pins.some((pin) => (pin.length === 32 ? hash !== undefined && equalBytes(pin, hash) : equalBytes(pin, spki)))
}
