import type { Reader } from "../../bytes/reader.ts"
import type { Writer } from "../../bytes/writer.ts"

/** How the structure in one extension's `extension_data` is read and written, in one message. */
export interface ExtensionCodec<Value> {
  decode(data: Reader): Value
  encode(value: Value, data: Writer): void
}

/** An extension whose presence says everything: `extension_data` is empty. */
export const flag: ExtensionCodec<true> = {
  decode: () => true,
  encode: () => {},
}
