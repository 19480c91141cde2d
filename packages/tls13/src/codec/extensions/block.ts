// An extensions block, `Extension extensions<..2^16-1>`: RFC 9846 section 4.3.

import { codePointName, KnownExtensionType } from "../../bytes/code-points.ts"
import { InvalidMessage, PeerMisbehaved } from "../../bytes/errors.ts"
import { Reader } from "../../bytes/reader.ts"
import type { Writer } from "../../bytes/writer.ts"
import type { ExtensionTable, MessageWithExtensions } from "./codec.ts"
import type { MessageExtensions } from "./messages.ts"

export interface ExtensionsBlock<Values> {
  readonly values: Values
  /** Every extension's type in the order on the wire, the unknown ones included. */
  readonly types: readonly number[]
}

/**
 * Reads the block of a message, `what` in words.
 * @throws InvalidMessage illegal_parameter for a repeated extension, or for one that we know and that the table of section 4.3 does
 *   not allow in this message; decode_error for data left over in a structure
 */
export function decodeExtensions<M extends MessageWithExtensions>(
  bytes: Uint8Array,
  message: M,
  what: string,
  { known }: ExtensionTable,
): ExtensionsBlock<MessageExtensions[M]> {
  const reader = new Reader(bytes, `${what}.extensions`)
  const values: Record<string, unknown> = {}
  // A set, which keeps the order: 64 KiB hold 16,000 extensions, too many to compare each with each.
  const types = new Set<number>()
  while (reader.remaining > 0) {
    const type = reader.uint16()
    const data = reader.vector16("extension_data")
    // "There MUST NOT be more than one extension of the same type in a given extension block."
    if (types.has(type)) {
      throw new InvalidMessage(
        `${what} has the extension ${codePointName(KnownExtensionType, type)} twice`,
        "illegal_parameter",
      )
    }
    types.add(type)
    const found = known.get(type)
    if (found === undefined) continue
    const { name, row } = found
    const codec = row[message]
    // "If an implementation receives an extension which it recognizes and which is not specified for the message in
    // which it appears, it MUST abort the handshake with an "illegal_parameter" alert."
    if (codec === undefined) throw new InvalidMessage(`${what} may not have the extension ${name}`, "illegal_parameter")
    const structure = new Reader(data, name)
    values[name] = codec.decode(structure)
    structure.expectEnd()
  }
  return { values: values as MessageExtensions[M], types: [...types] }
}

/** An extension that no table has. */
export interface RawExtension {
  readonly type: number
  readonly data: Uint8Array
}

/** Writes the values that are there, in the order of the object's own keys, then what no table has. */
export function encodeExtensions<M extends MessageWithExtensions>(
  values: MessageExtensions[M],
  message: M,
  writer: Writer,
  table: ExtensionTable,
  ...unknown: readonly RawExtension[]
): void {
  writer.vector16((block) => {
    writeExtensions(values, message, block, table)
    for (const extension of unknown) writeRawExtension(extension, block)
  })
}

export function writeExtensions<M extends MessageWithExtensions>(
  values: MessageExtensions[M],
  message: M,
  block: Writer,
  { rows }: ExtensionTable,
): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    const row = rows[name]!
    block.uint16(row.type).vector16((data) => row[message]!.encode(value, data))
  }
}

export function writeRawExtension({ type, data }: RawExtension, block: Writer): void {
  block.uint16(type).vector16(data)
}

/**
 * "Implementations MUST NOT send extension responses if the remote endpoint did not send the corresponding extension
 * requests, with the exception of the "cookie" extension in the HelloRetryRequest."
 */
export function refuseUnsolicited(types: readonly number[], requested: readonly number[], what: string): void {
  for (const type of types) {
    // RFC 8701 section 3.1: what was offered only to be ignored is not to be answered either.
    if (requested.includes(type) && !isGrease(type)) continue
    const name = codePointName(KnownExtensionType, type)
    throw new PeerMisbehaved("unsupported_extension", `${what} answers the extension ${name}, which was not asked for`)
  }
}

/** RFC 8701 section 2: 0x0A0A, 0x1A1A to 0xFAFA. */
function isGrease(type: number): boolean {
  return (type & 0x0f0f) === 0x0a0a && type >>> 8 === (type & 0xff)
}
