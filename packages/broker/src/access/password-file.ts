// The password file: one line a user, `NAME:$scrypt$ln=15,r=8,p=1$SALT$HASH`, salt and hash in base64 without padding.
// Lines that are empty or begin with # are skipped. Written by `puremq passwd`.

import { nobleScrypt, type Scrypt, type ScryptCost } from "./scrypt.ts"

export interface PasswordEntry {
  readonly user: string
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
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
  const entries = new Map<string, PasswordEntry>()
  text.split(/\r?\n/).forEach((raw, index) => {
    if (raw.trim() === "" || raw.startsWith("#")) return
    const entry = parseLine(raw, index + 1)
    if (entries.has(entry.user))
      throw new PasswordFileError(index + 1, `user ${JSON.stringify(entry.user)} appears twice`)
    entries.set(entry.user, entry)
  })
  return entries
}

function parseLine(line: string, number: number): PasswordEntry {
  const match = /^([^:]+):\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
    line.trimEnd(),
  )
  if (match === null) throw new PasswordFileError(number, "expected NAME:$scrypt$ln=..,r=..,p=..$SALT$HASH")
  const [, user, ln, r, p, salt, hash] = match
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) }
  // Bounds keep one login below 128 MiB; lower costs protect nobody.
  if (cost.ln < 10 || cost.ln > 17 || cost.r < 1 || cost.r > 8 || cost.p < 1 || cost.p > 4) {
    throw new PasswordFileError(number, "scrypt cost out of range (ln 10 to 17, r 1 to 8, p 1 to 4)")
  }
  const entry = { user: user!, cost, salt: fromBase64(salt!), hash: fromBase64(hash!) }
  if (entry.salt.length < 8 || entry.hash.length !== hashLength)
    throw new PasswordFileError(number, "salt or hash is too short")
  return entry
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

/** True when the password is the entry's. */
export async function checkPassword(entry: PasswordEntry, password: Uint8Array, scrypt: Scrypt): Promise<boolean> {
  return equal(await scrypt(password, entry.salt, entry.cost, hashLength), entry.hash)
}

/** Are both lines the same login: the same cost, salt and hash? */
export function sameEntry(a: PasswordEntry, b: PasswordEntry): boolean {
  return sameCost(a.cost, b.cost) && equal(a.salt, b.salt) && equal(a.hash, b.hash)
}

export function sameCost(a: ScryptCost, b: ScryptCost): boolean {
  return a.ln === b.ln && a.r === b.r && a.p === b.p
}

/** Compares in time that depends only on the lengths. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, "")
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
