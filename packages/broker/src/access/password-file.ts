// The password file: one line a user, `NAME:$scrypt$ln=15,r=8,p=1$SALT$HASH`, salt and hash in base64 without padding. What
// follows after another colon are the user's keys for SCRAM (RFC 5803): `:SCRAM-SHA-256$600000:SALT$STOREDKEY:SERVERKEY`.
// Lines that are empty or begin with # are skipped. Written by `puremq passwd`. Lines that mosquitto_passwd wrote may stand among
// them (mosquitto-password.ts).

import { encodeText } from "../packet/bytes.ts"
import { toBase64 as toPaddedBase64 } from "./base64.ts"
import { finish, lineByLine, type Steps } from "./lines.ts"
import { isMosquittoPassword, readMosquittoPassword } from "./mosquitto-password.ts"
import { hashPassword, isWeak, type PasswordCost, type PasswordHashes, sameCost } from "./password-hash.ts"
import { SaslprepError, saslprep } from "./saslprep.ts"
import { keysOf, type Pbkdf2, readScramKeys, type ScramKeys, writeScramKeys } from "./scram-keys.ts"
import { nobleScrypt, type Scrypt, type ScryptCost } from "./scrypt.ts"

export interface PasswordEntry {
  readonly user: string
  readonly cost: PasswordCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
  /** Undefined: the user cannot log in by SCRAM. */
  readonly scram: ScramKeys | undefined
}

export const defaultCost: ScryptCost = { ln: 15, r: 8, p: 1 }

/** Bytes of a new salt and of a hash. */
export const saltLength = 16
const hashLength = 32

/** A password file that cannot be used; the message names the line. */
export class PasswordFileError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`)
    this.name = "PasswordFileError"
  }
}

/** Reads the text of a password file. Throws PasswordFileError. */
export function parsePasswordFile(text: string): Map<string, PasswordEntry> {
  return finish(parsingPasswordFile(text))
}

/** The same, step by step. */
export function* parsingPasswordFile(text: string): Steps<Map<string, PasswordEntry>> {
  const entries = new Map<string, PasswordEntry>()
  yield* lineByLine(text, (line, number) => {
    if (line.trim() === "" || line.startsWith("#")) return
    const entry = parseLine(line, number)
    if (entries.has(entry.user)) throw new PasswordFileError(number, `user ${JSON.stringify(entry.user)} appears twice`)
    entries.set(entry.user, entry)
  })
  return entries
}

function parseLine(line: string, number: number): PasswordEntry {
  const [, name = "", theirs = "", scramOfTheirs] = /^([^:]+):\s*(\$[^:]+?)\s*(?::(.*))?$/.exec(line) ?? []
  if (isMosquittoPassword(theirs)) {
    const user = name.trim()
    const read = user === "" ? "the name is empty" : readMosquittoPassword(theirs)
    if (typeof read === "string") throw new PasswordFileError(number, read)
    const keys = scramOfTheirs === undefined ? undefined : parseScram(user, scramOfTheirs.trimEnd(), number)
    return { user, ...read, scram: keys }
  }
  const match =
    /^([^:]+):\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)(?::(.*))?$/.exec(
      line.trimEnd(),
    )
  if (match === null) throw new PasswordFileError(number, expected(line))
  const [, user, ln, r, p, salt, hash, scram] = match
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) }
  // Bounds keep one login below 128 MiB; lower costs protect nobody.
  if (cost.ln < 10 || cost.ln > 17 || cost.r < 1 || cost.r > 8 || cost.p < 1 || cost.p > 4) {
    throw new PasswordFileError(number, "scrypt cost out of range (ln 10 to 17, r 1 to 8, p 1 to 4)")
  }
  const [saltBytes, hashBytes] = [fromBase64(salt!), fromBase64(hash!)]
  if (saltBytes === undefined || hashBytes === undefined)
    throw new PasswordFileError(number, "salt or hash is not in base64")
  if (saltBytes.length < 8 || hashBytes.length !== hashLength)
    throw new PasswordFileError(number, "salt or hash is too short")
  const keys = scram === undefined ? undefined : parseScram(user!, scram, number)
  return { user: user!, cost, salt: saltBytes, hash: hashBytes, scram: keys }
}

function expected(line: string): string {
  const [, password = ""] = /^[^:]+:(.*)$/.exec(line) ?? []
  return password !== "" && !password.startsWith("$")
    ? 'expected NAME:$scrypt$..., not a password as it is: give each user one with "puremq passwd", or hash all of them with "mosquitto_passwd -U FILE"'
    : "expected NAME:$scrypt$ln=..,r=..,p=..$SALT$HASH, or a line of mosquitto_passwd"
}

function parseScram(user: string, text: string, number: number): ScramKeys {
  const keys = readScramKeys(text)
  if (typeof keys === "string") throw new PasswordFileError(number, keys)
  if (preparedName(user) !== user) {
    const what = `SCRAM never asks for the user ${JSON.stringify(user)} in this form (SASLprep, RFC 4013)`
    throw new PasswordFileError(number, `${what}: add the user again with "puremq passwd --scram"`)
  }
  return keys
}

/** One line for a password file, without newline. The user name may not contain a colon or control characters. */
export async function passwordLine(
  user: string,
  password: string | Uint8Array,
  salt: Uint8Array,
  cost: ScryptCost = defaultCost,
  scrypt: Scrypt = nobleScrypt,
): Promise<string> {
  if (user === "" || user.includes(":") || user.startsWith("#") || [...user].some((c) => c < " ")) {
    throw new RangeError("a user name may not be empty, begin with # or contain a colon or a control character")
  }
  const bytes = typeof password === "string" ? new TextEncoder().encode(password) : password
  const hash = await scrypt(bytes, salt, cost, hashLength)
  return `${user}:$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${toBase64(salt)}$${toBase64(hash)}`
}

/**
 * What makes SCRAM possible when it follows the user's line. Throws RangeError when SASLprep forbids something in the name or in
 * the password, or has the name in another form.
 */
export async function scramSuffix(
  user: string,
  password: string,
  salt: Uint8Array,
  iterations: number,
  pbkdf2: Pbkdf2,
): Promise<string> {
  const name = preparedName(user)
  if (name !== user) {
    const form = name === undefined ? "" : `; write it ${JSON.stringify(name)}`
    throw new RangeError(`SCRAM cannot have this user name (SASLprep, RFC 4013)${form}`)
  }
  let prepared: string
  try {
    prepared = saslprep(password, true)
  } catch (error) {
    if (!(error instanceof SaslprepError)) throw error
    throw new RangeError(`SCRAM cannot have this password (SASLprep, RFC 4013): ${error.message}`)
  }
  if (prepared === "") throw new RangeError("for SCRAM (SASLprep, RFC 4013) the password is empty")
  const saltedPassword = await pbkdf2(encodeText(prepared), salt, iterations)
  return `:${writeScramKeys(keysOf(saltedPassword, salt, iterations))}`
}

/** Undefined: SASLprep forbids it. */
function preparedName(user: string): string | undefined {
  try {
    return saslprep(user, true)
  } catch (error) {
    if (error instanceof SaslprepError) return undefined
    throw error
  }
}

/** True when the password is the entry's. */
export async function checkPassword(
  entry: PasswordEntry,
  password: Uint8Array,
  hashes: PasswordHashes,
): Promise<boolean> {
  return equal(await hashPassword(hashes, password, entry.salt, entry.cost, entry.hash.length), entry.hash)
}

/** Are both lines the same login: the same cost, salt and hash, and the same keys for SCRAM? */
export function sameEntry(a: PasswordEntry, b: PasswordEntry): boolean {
  return sameCost(a.cost, b.cost) && equal(a.salt, b.salt) && equal(a.hash, b.hash) && sameScram(a.scram, b.scram)
}

export function sameScram(a: ScramKeys | undefined, b: ScramKeys | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.iterations === b.iterations &&
    equal(a.salt, b.salt) &&
    equal(a.storedKey, b.storedKey) &&
    equal(a.serverKey, b.serverKey)
  )
}

/** A sentence about users whose passwords are tried fast by who gets hold of the file; undefined: there are none. */
export function weaknessOf(entries: ReadonlyMap<string, PasswordEntry>): string | undefined {
  let count = 0
  for (const { cost } of entries.values()) if (isWeak(cost)) count++
  if (count === 0) return undefined
  const who = `${count} of ${entries.size} ${entries.size === 1 ? "user" : "users"}`
  return `${who} ${count === 1 ? "has" : "have"} a password that is weakly hashed (by mosquitto_passwd: SHA-512, or PBKDF2 of few iterations): whoever gets hold of the file tries passwords fast; "puremq passwd" gives them new ones`
}

/** Compares in time that depends only on the lengths. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** Without padding. */
function toBase64(bytes: Uint8Array): string {
  return toPaddedBase64(bytes).replace(/=+$/, "")
}

/** Undefined: no bytes have this encoding. */
function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
