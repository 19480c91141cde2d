// EncodedClientHelloInner, as a client makes it: RFC 9849 sections 5.1 (what stands in ClientHelloOuter too is named, not
// repeated) and 6.1.3 (padding).

import { equalBytes } from "../bytes/equal.ts"
import { nothing } from "../bytes/nothing.ts"
import { Writer } from "../bytes/writer.ts"
import type { RawExtension } from "../codec/extensions/block.ts"
import { type RawClientHello, writeRawHello } from "./raw-hello.ts"

export const encryptedClientHelloType = 0xfe0d
export const echOuterExtensionsType = 0xfd00
const serverNameType = 0

/** ECHClientHello of type inner. */
export const echInner: Uint8Array = /* @__PURE__ */ Uint8Array.of(1)

/**
 * @param outer what is sent in the clear, with or without its encrypted_client_hello
 * @param serverName that of the inner hello, or undefined
 */
export function encodeInner(
  inner: RawClientHello,
  outer: RawClientHello,
  serverName: string | undefined,
  maximumNameLength: number,
): Uint8Array {
  const extensions = compressed(inner.extensions, outer.extensions)
  const writer = writeRawHello({ ...inner, legacySessionId: nothing, extensions })
  // "add max(0, L - D) bytes of padding"; without a name, "the length of a "server_name" extension with an L-byte name".
  const hidden = serverName === undefined ? maximumNameLength + 9 : Math.max(0, maximumNameLength - serverName.length)
  const length = writer.length + hidden
  writer.bytes(new Uint8Array(hidden + 31 - ((length - 1) % 32)))
  return writer.finish()
}

/**
 * With ech_outer_extensions in the place of the run of extensions that saves most: they stand together here, and in the same order,
 * with the same content, in the outer hello. server_name is never one of them: who looks could tell by the length.
 */
function compressed(inner: readonly RawExtension[], outer: readonly RawExtension[]): readonly RawExtension[] {
  let best = { from: 0, to: 0, saved: 0 }
  for (let from = 0; from < inner.length; ) {
    let [to, saved, at] = [from, -5, 0]
    for (; to < inner.length && to - from < 127; to++) {
      const { type, data } = inner[to]!
      if (type === serverNameType || type === encryptedClientHelloType) break
      const found = outer.findIndex((candidate, index) => index >= at && candidate.type === type)
      if (found === -1 || !equalBytes(outer[found]!.data, data)) break
      at = found + 1
      saved += 2 + data.length
    }
    if (saved > best.saved) best = { from, to, saved }
    from = Math.max(to, from + 1)
  }
  const { from, to } = best
  if (from === to) return inner
  const types = new Writer(256).vector8((list) => inner.slice(from, to).forEach(({ type }) => void list.uint16(type)))
  return [...inner.slice(0, from), { type: echOuterExtensionsType, data: types.finish() }, ...inner.slice(to)]
}
