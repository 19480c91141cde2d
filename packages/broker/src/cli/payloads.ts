// What `puremq pub` and `puremq rr` send: a text, a file, the input as a whole or line by line, or nothing.

import { createReadStream, openSync, statSync } from "node:fs"
import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { ConfigError } from "../config/config.ts"
import { readBytes } from "../config/text-file.ts"
import { copy, encodeText } from "../packet/bytes.ts"
import type { Payload } from "./client/packet-writer.ts"

/** Bytes that MQTT has numbers for (section 2.1.4), without what else is in the packet. */
const longest = 268_435_455
/** Bytes of a file that is read at once; a longer one while it is sent. */
const readAtOnce = 65_536

const newline = 0x0a

export type Source =
  | { readonly kind: "one"; readonly payload: Payload }
  /** Each line of the input, without its end. */
  | { readonly kind: "lines" }

/** @param kinds names of options of which one says what is sent. Throws UsageError, ConfigError. */
export async function sourceOf(options: Arguments, kinds: readonly string[], hint: string): Promise<Source> {
  const given = kinds.filter((name) => options.flag(name) || options.text(name) !== undefined)
  if (given.length !== 1) throw new UsageError(`give the message by one of ${letters(kinds)}; ${hint}`)
  const [message, file] = [options.text("message"), options.text("file")]
  if (message !== undefined) return { kind: "one", payload: encodeText(message) }
  if (file !== undefined) return { kind: "one", payload: fileMessage(file) }
  if (options.flag("stdin-line")) return { kind: "lines" }
  return { kind: "one", payload: options.flag("stdin-file") ? await whole(process.stdin) : new Uint8Array(0) }
}

const short: Readonly<Record<string, string>> = {
  message: "-m",
  file: "-f",
  "stdin-line": "-l",
  "stdin-file": "-s",
  "null-message": "-n",
}

function letters(kinds: readonly string[]): string {
  const all = kinds.map((name) => short[name] ?? `--${name}`)
  return `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`
}

/** Throws ConfigError. */
function fileMessage(path: string): Payload {
  const length = lengthOf(path)
  if (length === undefined || length <= readAtOnce) return readBytes(path, "the message")
  if (length > longest)
    throw new ConfigError(`cannot send ${path}: it has ${length} bytes; ${longest} are the most that MQTT has room for`)
  const fd = openSync(path, "r")
  return {
    length,
    // What is appended meanwhile is not of this message.
    read: () => createReadStream("", { fd, start: 0, end: length - 1, autoClose: false, highWaterMark: readAtOnce }),
  }
}

/** Of a file that can be read at any place; undefined: it is none. */
function lengthOf(path: string): number | undefined {
  const file = statSync(path, { throwIfNoEntry: false })
  return file?.isFile() === true ? file.size : undefined
}

async function whole(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of input) {
    length += part.length
    if (length > longest) throw new ConfigError(`the input has more than ${longest} bytes, which MQTT has no room for`)
    parts.push(part)
  }
  return joined(parts, length)
}

/** The lines of the input as they come, in its own bytes; the last one needs no end. */
export async function* lines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      parts.push(chunk.subarray(start, end))
      yield joined(parts, length + end - start)
      parts = []
      length = 0
      start = end + 1
    }
    if (start === chunk.length) continue
    parts.push(chunk.subarray(start))
    length += chunk.length - start
    if (length > longest) throw new ConfigError(`a line has more than ${longest} bytes, which MQTT has no room for`)
  }
  if (length > 0) yield joined(parts, length)
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) at = copy(out, at, part, 0, part.length)
  return out
}
