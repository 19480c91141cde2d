import type { Reader } from "../../bytes/reader.ts"
import type { Writer } from "../../bytes/writer.ts"
import type { MessageExtensions } from "./messages.ts"

/** How the structure in one extension's `extension_data` is read and written, in one message. */
export interface ExtensionCodec<Value> {
  decode(data: Reader): Value
  encode(value: Value, data: Writer): void
}

/** A row of the table of section 4.3: the extension's number, and a codec for each message that may have it, and no other. */
export type ExtensionRow<Name extends string> = { readonly type: number } & {
  readonly [M in keyof MessageExtensions as Name extends keyof MessageExtensions[M] ? M : never]: CodecOf<
    MessageExtensions[M],
    Name
  >
}

type CodecOf<Extensions, Name extends string> = Extensions extends { readonly [_ in Name]?: infer Value }
  ? ExtensionCodec<Exclude<Value, undefined>>
  : never

/** An extension whose presence says everything: `extension_data` is empty. */
export const flag: ExtensionCodec<true> = {
  decode: () => true,
  encode: () => {},
}
