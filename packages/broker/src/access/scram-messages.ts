// The four messages of SCRAM (RFC 5802 section 7), read as the grammar has them and no other way.

import { decodeUtf8, encodeText } from "../packet/bytes.ts"
import { isWellFormed } from "../packet/utf8.ts"
import { fromBase64, toBase64 } from "./base64.ts"

/** MQTT's name of the Authentication Method (section 4.12). */
export const scramMethod = "SCRAM-SHA-256"

/** Bytes of a message; names and nonces have no other limit. */
export const longestMessage = 4096

/** A message that is none, or that asks for what is not done; the message says which and why. */
export class ScramError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "ScramError"
  }
}

export interface ClientFirst {
  /** `n,,` and the like, with its commas. */
  readonly gs2Header: string
  /** What stands after it, as it came. */
  readonly bare: string
  /** Neither prepared nor looked up. */
  readonly name: string
  /** Whom the client wants to act as; undefined: itself. */
  readonly authorizationName: string | undefined
  readonly nonce: string
}

export interface ClientFinal {
  /** `c=`, as it came. */
  readonly channelBinding: string
  readonly nonce: string
  readonly proof: Uint8Array
  /** As it came. */
  readonly withoutProof: string
}

export interface ServerFirst {
  readonly nonce: string
  readonly salt: Uint8Array
  readonly iterations: number
  /** As it came. */
  readonly text: string
}

/** Throws ScramError. */
export function parseClientFirst(bytes: Uint8Array): ClientFirst {
  const what = "client-first-message"
  const text = textOf(bytes, what)
  const header = /^(n|y|p=[^,]*),(?:a=([^,]+))?,/.exec(text)
  if (header === null) throw new ScramError(`${what} does not begin with n,, or y,,`)
  if (header[1] !== "n" && header[1] !== "y") throw new ScramError("channel binding is not offered")
  const gs2Header = header[0]
  const bare = text.slice(gs2Header.length)
  const [user, nonce, ...others] = attributesOf(bare, what)
  checkOthers(others, what)
  return {
    gs2Header,
    bare,
    name: saslName(valueIn(user, "n", what)),
    authorizationName: header[2] === undefined ? undefined : saslName(header[2]),
    nonce: checkNonce(valueIn(nonce, "r", what)),
  }
}

/** Throws ScramError. */
export function parseClientFinal(bytes: Uint8Array): ClientFinal {
  const what = "client-final-message"
  const text = textOf(bytes, what)
  const [binding, nonce, ...others] = attributesOf(text, what)
  const last = others.pop()
  checkOthers(others, what)
  const channelBinding = valueIn(binding, "c", what)
  const own = checkNonce(valueIn(nonce, "r", what))
  const proof = fromBase64(valueIn(last, "p", what))
  if (proof?.length !== 32) throw new ScramError(`the proof in the ${what} is not 32 bytes in base64`)
  return { channelBinding, nonce: own, proof, withoutProof: text.slice(0, text.lastIndexOf(",")) }
}

/** Throws ScramError. */
export function parseServerFirst(bytes: Uint8Array): ServerFirst {
  const what = "server-first-message"
  const text = textOf(bytes, what)
  const [nonce, salt, count, ...others] = attributesOf(text, what)
  checkOthers(others, what)
  const iterations = valueIn(count, "i", what)
  const saltBytes = fromBase64(valueIn(salt, "s", what))
  if (saltBytes === undefined || !/^[1-9]\d{0,9}$/.test(iterations))
    throw new ScramError(`salt or iterations in the ${what} cannot be read`)
  return {
    nonce: checkNonce(valueIn(nonce, "r", what)),
    salt: saltBytes,
    iterations: Number(iterations),
    text,
  }
}

/** Returns the ServerSignature. Throws ScramError, also when it is the server's refusal. */
export function parseServerFinal(bytes: Uint8Array): Uint8Array {
  const what = "server-final-message"
  const [first, ...others] = attributesOf(textOf(bytes, what), what)
  if (first?.startsWith("e=") === true) throw new ScramError("the server refuses the login")
  const signature = fromBase64(valueIn(first, "v", what))
  checkOthers(others, what)
  if (signature?.length !== 32) throw new ScramError(`the signature in the ${what} is not 32 bytes in base64`)
  return signature
}

export function clientFirstBare(name: string, nonce: string): string {
  return `n=${name.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`
}

export function clientFinalWithoutProof(gs2Header: string, nonce: string): string {
  return `c=${channelBindingOf(gs2Header)},r=${nonce}`
}

export function serverFirst(nonce: string, salt: Uint8Array, iterations: number): string {
  return `r=${nonce},s=${toBase64(salt)},i=${iterations}`
}

export function serverFinal(signature: Uint8Array): string {
  return `v=${toBase64(signature)}`
}

/** The `c=` that belongs to a GS2 header when no channel is bound. */
export function channelBindingOf(gs2Header: string): string {
  return toBase64(encodeText(gs2Header))
}

function textOf(bytes: Uint8Array, what: string): string {
  if (bytes.length > longestMessage)
    throw new ScramError(`the ${what} has ${bytes.length} bytes; ${longestMessage} are the most`)
  if (!isWellFormed(bytes, 0, bytes.length)) throw new ScramError(`the ${what} is not well-formed UTF-8`)
  const text = decodeUtf8(bytes, 0, bytes.length)
  if (text.includes("\0")) throw new ScramError(`the ${what} contains U+0000`)
  return text
}

/** Each is a letter, "=" and at least one character. */
function attributesOf(text: string, what: string): string[] {
  const attributes = text.split(",")
  if (attributes.some((one) => !/^[A-Za-z]=./s.test(one)))
    throw new ScramError(`the ${what} is not a list of attributes`)
  // Section 5.1: what is mandatory and not known makes the authentication fail.
  if (attributes.some((one) => one.startsWith("m="))) throw new ScramError(`the ${what} has a mandatory extension`)
  return attributes
}

function valueIn(attribute: string | undefined, name: string, what: string): string {
  if (attribute?.startsWith(`${name}=`) !== true) throw new ScramError(`the ${what} lacks ${name}= in its place`)
  return attribute.slice(2)
}

/** Section 5.1: extensions that are not known are passed over; attributes that are known have a place of their own. */
function checkOthers(attributes: readonly string[], what: string): void {
  const known = attributes.find((one) => "anrcpsive".includes(one[0]!))
  if (known !== undefined) throw new ScramError(`the ${what} has ${known[0]}= in a wrong place`)
}

function checkNonce(nonce: string): string {
  if (!/^[!-+\--~]+$/.test(nonce)) throw new ScramError("the nonce has a character that is not printable ASCII")
  return nonce
}

function saslName(encoded: string): string {
  if (/=(?!2C|3D)/.test(encoded)) throw new ScramError("the name has = that is neither =2C nor =3D")
  return encoded.replaceAll("=2C", ",").replaceAll("=3D", "=")
}
