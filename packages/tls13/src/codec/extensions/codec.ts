import type { Reader } from "../../bytes/reader.ts"
import type { Writer } from "../../bytes/writer.ts"

/** The messages that have extensions (RFC 9846 section 4.3), by the letters of the RFC's table; CT is one CertificateEntry. */
export type MessageWithExtensions = "CH" | "SH" | "HRR" | "EE" | "CT" | "CR" | "NST"

/** How the structure in one extension's `extension_data` is read and written, in one message. */
export interface ExtensionCodec<Value> {
  decode(data: Reader): Value
  encode(value: Value, data: Writer): void
}

/**
 * A row of the table of section 4.3: the extension's number, and a codec for each message that may have it, and no other. `Values`
 * says what it is in which message: `{ CH: string; EE: true }`.
 */
export type ExtensionRow<Values extends { readonly [M in MessageWithExtensions]?: unknown }> = {
  readonly type: number
} & { readonly [M in keyof Values & MessageWithExtensions]: ExtensionCodec<Values[M]> }

/** What the extension of a row is in a message. */
export type ValueIn<Row, M extends MessageWithExtensions> =
  Row extends Readonly<Record<M, ExtensionCodec<infer Value>>> ? Value : never

/** An extension whose presence says everything: `extension_data` is empty. */
export const flag: ExtensionCodec<true> = {
  decode: () => true,
  encode: () => {},
}

/** A structure that this side writes and never reads: what a client has in ClientHello. */
export function writtenOnly<Value>(encode: ExtensionCodec<Value>["encode"]): ExtensionCodec<Value> {
  return {
    encode,
    decode() {
      throw new Error("never read")
    },
  }
}

/** A row as the reader of a block sees it: a message may or may not have the extension. */
export type AnyRow = { readonly type: number } & {
  readonly [M in MessageWithExtensions]?: ExtensionCodec<unknown>
}

export type ExtensionRows = Readonly<Record<string, AnyRow>>

/** The extensions that somebody knows, by their names and by their numbers. */
export interface ExtensionTable {
  readonly rows: ExtensionRows
  readonly known: ReadonlyMap<number, { readonly name: string; readonly row: AnyRow }>
}

export function extensionTable(rows: ExtensionRows): ExtensionTable {
  return { rows, known: new Map(Object.entries(rows).map(([name, row]) => [row.type, { name, row }])) }
}
