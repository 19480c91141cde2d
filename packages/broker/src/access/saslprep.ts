// SASLprep (RFC 4013), the form in which SCRAM compares names and passwords: what looks alike becomes the same, and what
// cannot be seen is refused. The tables are those of RFC 3454, in whole, but for two that are hundreds of ranges of
// Unicode 3.2: unassigned code points (A.1) are those of the host's Unicode, and characters written from left to right (D.2)
// are its letters, spacing marks and numbers, without the signs that D.2 has besides. NFKC is the host's. Text of ASCII alone
// stays as it is.

/** What is not text for SASLprep; the message says which character, or why. */
export class SaslprepError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "SaslprepError"
  }
}

/** Table C.1.2, mapped to U+0020 (section 2.1). */
const spaces = /[\u{a0}\u{1680}\u{2000}-\u{200b}\u{202f}\u{205f}\u{3000}]/gu

/** Table B.1, mapped to nothing (section 2.1). */
const nothing =
  /\u{ad}|\u{34f}|\u{1806}|[\u{180b}-\u{180d}]|[\u{200b}-\u{200d}]|\u{2060}|[\u{fe00}-\u{fe0f}]|\u{feff}/gu

/** Section 2.3; the order is that of the tables of RFC 3454. */
const prohibited: readonly RegExp[] = [
  spaces, // C.1.2
  /\p{Cc}/u, // C.2.1, and of C.2.2 the controls; the others are
  /\u{200c}|\u{200d}|[\u{6dd}\u{70f}\u{180e}\u{2028}\u{2029}\u{2060}-\u{2063}\u{206a}-\u{206f}\u{feff}\u{fff9}-\u{fffc}\u{1d173}-\u{1d17a}]/u,
  /\p{Co}/u, // C.3
  /\p{Noncharacter_Code_Point}/u, // C.4
  /\p{Cs}/u, // C.5
  /[\u{fff9}-\u{fffd}]/u, // C.6
  /[\u{2ff0}-\u{2ffb}]/u, // C.7
  /[\u{340}\u{341}\u{200e}\u{200f}\u{202a}-\u{202e}\u{206a}-\u{206f}]/u, // C.8
  /[\u{e0001}\u{e0020}-\u{e007f}]/u, // C.9
]

/** In one pass: compatibility characters make twenty of one, and whoever asks pays nothing for it. */
const anyProhibited = new RegExp(prohibited.map(({ source }) => source).join("|"), "u")

/** Table D.1: characters written from right to left. */
const rightToLeft =
  /[\u{5be}\u{5c0}\u{5c3}\u{5d0}-\u{5ea}\u{5f0}-\u{5f4}\u{61b}\u{61f}\u{621}-\u{63a}\u{640}-\u{64a}\u{66d}-\u{66f}\u{671}-\u{6d5}\u{6dd}\u{6e5}\u{6e6}\u{6fa}-\u{6fe}\u{700}-\u{70d}\u{710}\u{712}-\u{72c}\u{780}-\u{7a5}\u{7b1}\u{200f}\u{fb1d}\u{fb1f}-\u{fb28}\u{fb2a}-\u{fb36}\u{fb38}-\u{fb3c}\u{fb3e}\u{fb40}\u{fb41}\u{fb43}\u{fb44}\u{fb46}-\u{fbb1}\u{fbd3}-\u{fd3d}\u{fd50}-\u{fd8f}\u{fd92}-\u{fdc7}\u{fdf0}-\u{fdfc}\u{fe70}-\u{fe74}\u{fe76}-\u{fefc}]/u

/** In place of table D.2. */
const letters = /[\p{L}\p{Mc}\p{Nd}\p{Nl}]/u
/** Of those, the numbers that are written either way. */
const eitherWay = /[0-9\u{b2}\u{b3}\u{b9}\u{660}-\u{669}\u{6f0}-\u{6f9}]/u

const leftToRight = new RegExp(`(?!${rightToLeft.source}|${eitherWay.source})${letters.source}`, "u")
const beginsFromRight = new RegExp(`^${rightToLeft.source}`, "u")
const endsFromRight = new RegExp(`${rightToLeft.source}$`, "u")

/**
 * Prepares a name or a password. `stored`: it is to be kept, and so may have no code point that is unassigned (RFC 3454
 * section 7); in what is only asked for they may be. Throws SaslprepError.
 */
export function saslprep(text: string, stored: boolean): string {
  if (/^[ -~]*$/.test(text)) return text
  const prepared = text.replace(spaces, " ").replace(nothing, "").normalize("NFKC")
  const forbidden = anyProhibited.exec(prepared)
  const unassigned = stored ? /\p{Cn}/u.exec(prepared) : null
  if (unassigned !== null && !(forbidden !== null && forbidden.index <= unassigned.index))
    throw new SaslprepError(`it has ${name(unassigned[0])}, which is unassigned`)
  if (forbidden !== null) throw new SaslprepError(`it has ${name(forbidden[0])}`)
  checkDirections(prepared)
  return prepared
}

/** Section 2.4, RFC 3454 section 6. */
function checkDirections(prepared: string): void {
  if (!rightToLeft.test(prepared)) return
  if (leftToRight.test(prepared))
    throw new SaslprepError("it has characters from right to left and others from left to right")
  if (!beginsFromRight.test(prepared) || !endsFromRight.test(prepared))
    throw new SaslprepError("it has characters from right to left, but not at both of its ends")
}

/** U+200E */
function name(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`
}
