// What command lines name: addresses and files.

import { readFileSync, statSync } from "node:fs"
import { textOfFile } from "../x509/der/text-file.ts"
import { UsageError } from "./command-line.ts"

/** Something outside of this program that is not as it must be: one line, exit status 1. */
export class CommandError extends Error {
  override readonly name = "CommandError"
}

/** `HOST:PORT`, `[ADDRESS]:PORT`, or only what `defaults` completes. @throws UsageError */
export function readAddress(
  value: string,
  defaults: { readonly host?: string; readonly port?: number } = {},
): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/]*))(?::(\d{1,5}))?$/i.exec(value)
  const onlyPort = defaults.host !== undefined && /^\d{1,5}$/.test(value)
  const host = onlyPort ? defaults.host : match?.[1] || match?.[2] || defaults.host
  const port = onlyPort ? Number(value) : match?.[3] === undefined ? defaults.port : Number(match[3])
  if (match === null || host === undefined || port === undefined || port > 65_535) {
    throw new UsageError(`"${value}" is no address; write it like example.com:443 or [::1]:8443`)
  }
  return { host, port }
}

/** Bytes. Nothing that is meant for here is nearly as long; a device may have no end. */
const largestFile = 64 * 1_048_576

/** @param file path, or a number that the system knows an open file by. @throws CommandError */
export function readFile(file: string | number, shown: string | number = file): Buffer {
  try {
    // Standard input may be what it likes.
    if (typeof file === "string") {
      const found = statSync(file)
      if (found.isCharacterDevice() || found.isBlockDevice() || found.isSocket()) {
        throw new Error("it is a device, no file")
      }
      if (found.size > largestFile) throw new Error(`it has ${found.size} bytes; ${largestFile} are the most`)
    }
    return readFileSync(file)
  } catch (error) {
    throw new CommandError(`${shown} cannot be read: ${reasonOf(error)}`)
  }
}

/**
 * The UTF-8 text of a file. @param wanted what belongs into it, as a clause. @param pem whether PEM may stand in it
 * @throws CommandError
 */
export function readTextFile(path: string, wanted: string, pem: boolean = false): string {
  const read = textOfFile(readFile(path), wanted, pem)
  if ("problem" in read) throw new CommandError(`${path}: ${read.problem}`)
  return read.text
}

/** What the system says, without its call and path. */
export function reasonOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : ""
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "it does not exist",
    EACCES: "this user may not",
    EISDIR: "it is a folder",
    ELOOP: "it is a link that leads back to itself",
    EADDRINUSE: "the port is taken",
    EADDRNOTAVAIL: "this machine does not have that address",
    ECONNREFUSED: "nothing listens there",
    ECONNRESET: "the peer reset the connection",
    ENOTFOUND: "no such host",
    EAI_AGAIN: "the name cannot be resolved now",
    ETIMEDOUT: "no answer in time",
    EMFILE: "too many open files; raise the limit of the process (ulimit -n)",
    ENFILE: "this machine has too many open files",
    EHOSTUNREACH: "the host cannot be reached",
    ENETUNREACH: "the network cannot be reached",
  }
  return reasons[code] ?? (error instanceof Error ? error.message : String(error))
}
