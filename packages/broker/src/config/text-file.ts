// Files that the command line or the configuration names: their bytes, or their text. Every error is one line that says what
// the file is for, where it is, what it is instead and what to do.

import { readFileSync, statSync } from "node:fs"
import { textOfFile } from "@puremq/tls13/x509"
import { AclError, parseAcl } from "../access/acl.ts"
import { PasswordFileError, parsePasswordFile } from "../access/password-file.ts"
import { ConfigError } from "./config.ts"

/** What a text file is for, and what belongs into it. */
export interface TextKind {
  readonly what: string
  readonly wanted: string
}

export const configurationFile: TextKind = {
  what: "the configuration",
  wanted: 'wanted is JSON, such as {"listeners": [{"type": "tls", "port": 8883, "cert": FILE, "key": FILE}]}',
}
export const passwordFile: TextKind = {
  what: "the password file",
  wanted: 'wanted are lines of NAME:$scrypt$..., which "puremq passwd FILE USER" writes',
}
export const aclFile: TextKind = {
  what: "the access control list",
  wanted:
    'wanted are lines such as "user NAME readwrite FILTER", or one that begins with # where nobody may do anything',
}
const keyPasswordFile: TextKind = { what: "the key's password", wanted: "wanted is the password in its first line" }

/** Bytes. Nothing that is meant for here is nearly as long; a device may have no end. */
const largestFile = 64 * 1_048_576

/** Throws ConfigError. */
export function readBytes(path: string, what: string): Buffer {
  try {
    const file = statSync(path)
    if (file.isCharacterDevice() || file.isBlockDevice() || file.isSocket()) throw new Error("it is a device, no file")
    if (file.size > largestFile) throw new Error(`it has ${file.size} bytes; ${largestFile} are the most`)
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError(`cannot read ${what} ${path}: ${reasonOf(error)}`)
  }
}

/** The UTF-8 text of a file, without a byte order mark. Throws ConfigError. */
export function readText(path: string, { what, wanted }: TextKind): string {
  const read = textOfFile(readBytes(path, what), wanted)
  if ("problem" in read) throw new ConfigError(`cannot use ${what} ${path}: ${read.problem}`)
  return read.text
}

/** Text that is a password file. Throws ConfigError, with the number of the line. */
export function readPasswordFile(path: string): string {
  return checked(path, passwordFile, parsePasswordFile)
}

/** Text that is an access control list. Throws ConfigError, with the number of the line. */
export function readAcl(path: string): string {
  return checked(path, aclFile, parseAcl)
}

function checked(path: string, kind: TextKind, parse: (text: string) => unknown): string {
  const text = readText(path, kind)
  try {
    parse(text)
  } catch (error) {
    if (error instanceof AclError || error instanceof PasswordFileError)
      throw new ConfigError(`cannot use ${kind.what} ${path}, ${error.message}`)
    throw error
  }
  return text
}

/** Its first line. Throws ConfigError. */
export function readKeyPassword(path: string): string {
  const [line = ""] = readText(path, keyPasswordFile).split(/[\r\n]/)
  if (line === "") throw new ConfigError(`${path} holds no password in its first line`)
  return line
}

function reasonOf(error: unknown): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
      return "there is no such file"
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
