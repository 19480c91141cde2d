// Files that the command line or the configuration names: their bytes, or their text. Every error is one line that says what
// the file is for, where it is, what it is instead and what to do.

import { isUtf8 } from "node:buffer"
import { readFileSync, statSync } from "node:fs"
import { getHeapStatistics } from "node:v8"
import { textOfFile } from "@puremq/tls13/x509"
import { AclError } from "../access/acl.ts"
import { readingAclFile } from "../access/acl-file.ts"
import { finish, type Steps } from "../access/lines.ts"
import { type PasswordEntry, PasswordFileError, parsingPasswordFile, weaknessOf } from "../access/password-file.ts"
import { parseTokens, TokenFileError } from "../admin/tokens.ts"
import { ConfigError, type ReadAcl } from "./config.ts"

const missing = "there is no such file"

/** Of files that a command of ours makes. */
const remedies: ReadonlyMap<string, string> = new Map([
  ["the token file", '; make it with "puremq token FILE NAME --scope operate"'],
  ["the password file", '; make it with "puremq passwd FILE USER"'],
])

/** What a text file is for, and what belongs into it. */
export interface TextKind {
  readonly what: string
  readonly wanted: string
  /** Bytes. */
  readonly most?: () => number
}

/** Bytes. Nothing that is meant for here is nearly as long; a device may have no end. */
const largestFile = 64 * 1_048_576
/** Bytes of a configuration, which is read in one go. */
const largestConfiguration = 1_048_576

/**
 * Bytes of a list, of which each line becomes something in memory, and twice while a broker reads it again: so many parts of the
 * heap that the process may have. (Measured, a byte of short lines: 8 bytes of heap for users, up to 33 for rules.)
 */
const partOfHeap = (parts: number) => () =>
  Math.min(largestFile, Math.floor(getHeapStatistics().heap_size_limit / parts))

export const configurationFile: TextKind = {
  what: "the configuration",
  wanted: "wanted is TOML or JSON, such as listeners.tls = { port = 8883, cert = FILE, key = FILE }",
  most: () => largestConfiguration,
}
export const passwordFile: TextKind = {
  what: "the password file",
  wanted: 'wanted are lines of NAME:$scrypt$..., which "puremq passwd FILE USER" writes',
  most: partOfHeap(32),
}
export const aclFile: TextKind = {
  what: "the access control list",
  wanted:
    'wanted are lines such as "user NAME readwrite FILTER", or one that begins with # where nobody may do anything',
  most: partOfHeap(96),
}
export const metricsTokenFile: TextKind = {
  what: "the tokens for metrics",
  wanted: 'wanted is a token a line, which "openssl rand -hex 32" makes',
  most: () => 65_536,
}
export const tokenFile: TextKind = {
  what: "the token file",
  wanted: 'wanted are lines of NAME:read:SHA256 or NAME:operate:SHA256, which "puremq token FILE NAME" writes',
  most: () => largestConfiguration,
}
const keyPasswordFile: TextKind = { what: "the key's password", wanted: "wanted is the password in its first line" }

/** Throws ConfigError. */
export function readBytes(path: string, what: string, most: number = largestFile): Buffer {
  try {
    const file = statSync(path)
    if (file.isCharacterDevice() || file.isBlockDevice() || file.isSocket()) throw new Error("it is a device, no file")
    if (file.size > most) throw new Error(`it has ${file.size} bytes; ${most} are the most`)
    return readFileSync(path)
  } catch (error) {
    const reason = reasonOf(error)
    const isMissing = reason === missing
    throw new ConfigError(`cannot read ${what} ${path}: ${reason}${isMissing ? (remedies.get(what) ?? "") : ""}`)
  }
}

/** The UTF-8 text of a file, without a byte order mark. Throws ConfigError. */
export function readText(path: string, { what, wanted, most }: TextKind): string {
  const bytes = readBytes(path, what, most?.())
  const read = longText(bytes, wanted) ?? textOfFile(bytes, wanted)
  if ("problem" in read) throw new ConfigError(`cannot use ${what} ${path}: ${read.problem}`)
  return read.text
}

/** Bytes that say what a long file is. */
const headLength = 65_536

/** The same, by what the runtime has for it: that takes a tenth of the time. Undefined: it is short, or something is wrong with it. */
function longText(bytes: Buffer, wanted: string): ReturnType<typeof textOfFile> | undefined {
  if (bytes.length <= headLength || bytes.includes(0) || !isUtf8(bytes)) return undefined
  let end = headLength
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  const head = bytes.subarray(0, end)
  const kind = textOfFile(head, wanted)
  const text = bytes.toString("utf8").replaceAll(/(^|\n)\ufeff/g, "$1")
  // A head that is blank says nothing of the rest.
  const isKind = head.toString("utf8").trim() !== "" || text.trim() === ""
  return "problem" in kind && isKind ? kind : { text }
}

/** Text that is a password file. Throws ConfigError, with the number of the line. */
export function readPasswordFile(path: string): string {
  const text = readText(path, passwordFile)
  finish(told(path, passwordFile, parsingPasswordFile(text)))
  return text
}

/**
 * The users of a password file, step by step. Throws ConfigError, with the number of the line.
 * @param warn gets a sentence about passwords that are badly kept
 */
export function* readingPasswordFile(
  path: string,
  warn: (text: string) => void,
): Steps<ReadonlyMap<string, PasswordEntry>> {
  const users = yield* told(path, passwordFile, parsingPasswordFile(readText(path, passwordFile)))
  const weakness = weaknessOf(users)
  if (weakness !== undefined) warn(`${path}: ${weakness}`)
  return users
}

/** An access control list, step by step. Throws ConfigError, with the number of the line. */
export function* readingAcl(path: string): Steps<ReadAcl> {
  const text = readText(path, aclFile)
  yield
  return { text, acl: yield* told(path, aclFile, readingAclFile(text)) }
}

/** With the name of the file in what is thrown. */
function* told<T>(path: string, kind: TextKind, steps: Steps<T>): Steps<T> {
  try {
    return yield* steps
  } catch (error) {
    if (error instanceof AclError || error instanceof PasswordFileError)
      throw new ConfigError(`cannot use ${kind.what} ${path}, ${error.message}`)
    throw error
  }
}

/** Text that is a file of tokens. Throws ConfigError, with the number of the line. */
export function readTokenFile(path: string): string {
  const text = readText(path, tokenFile)
  try {
    parseTokens(text)
  } catch (error) {
    if (error instanceof TokenFileError) throw new ConfigError(`cannot use the token file ${path}, ${error.message}`)
    throw error
  }
  return text
}

/** The text of a JWK Set, which nobody has looked at yet. Throws ConfigError. */
export function readKeySetFile(path: string): string {
  return readText(path, { what: "the keys for tokens", wanted: 'wanted is a JWK Set: {"keys": [{"kty": ...}]}' })
}

/** The first line of a file with a secret. Throws ConfigError. @param what such as "the token" */
export function readSecret(path: string, what: string): string {
  const [line = ""] = readText(path, { what, wanted: "wanted is a secret in its first line" }).split(/[\r\n]/)
  if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(line))
    throw new ConfigError(`${path}: ${what} is to be in its first line, in ASCII characters, with no space at its ends`)
  return line
}

/** Its first line. Throws ConfigError. */
export function readKeyPassword(path: string): string {
  const [line = ""] = readText(path, keyPasswordFile).split(/[\r\n]/)
  if (line === "") throw new ConfigError(`${path} holds no password in its first line`)
  return line
}

/** The first line of a file that holds a secret. Throws ConfigError. @param what such as "the file of PUREMQ_ADMIN__TOKEN_FILE" */
export function readFirstLine(path: string, what: string): string {
  const [line = ""] = readText(path, { what, wanted: "wanted is the secret in its first line" }).split(/[\r\n]/)
  if (line === "") throw new ConfigError(`${what}, ${path}, holds nothing in its first line`)
  return line
}

function reasonOf(error: unknown): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
      return missing
    case "EACCES":
      return "not permitted"
    case "EISDIR":
      return "it is a folder"
    case "ELOOP":
      return "it is a link that leads back to itself"
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
