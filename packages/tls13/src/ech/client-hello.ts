// encrypted_client_hello in ClientHelloOuter: RFC 9849 sections 5, 6.1 and 6.1.1; what of it both a real one and a made-up one have.

import { PeerMisbehaved } from "../bytes/errors.ts"
import { Reader } from "../bytes/reader.ts"
import { Writer } from "../bytes/writer.ts"
import type { ClientHelloContent } from "../codec/client-hello.ts"
import type { ClientHelloExtensions } from "../codec/extensions/messages.ts"
import { draw } from "../crypto/draw.ts"
import type { RandomSource } from "../crypto/provider.ts"
import type { HpkeSuiteIds } from "../hpke/index.ts"

/** ECHClientHello of type outer. */
export interface EchOuter {
  readonly suite: Pick<HpkeSuiteIds, "kdf" | "aead">
  readonly configId: number
  /** Empty in answer to a HelloRetryRequest. */
  readonly enc: Uint8Array
  readonly payload: Uint8Array
}

export function encodeEchOuter({ suite, configId, enc, payload }: EchOuter): Uint8Array {
  const writer = new Writer(16 + enc.length + payload.length)
  writer.uint8(0).uint16(suite.kdf).uint16(suite.aead).uint8(configId)
  return writer.vector16(enc).vector16(payload).finish()
}

/** The extension in its place, else behind the others, or where `permute` draws. */
export function withEch(
  content: ClientHelloContent,
  encrypted_client_hello: Uint8Array,
  permute: RandomSource | undefined,
): ClientHelloContent {
  const { extensions } = content
  const added = { encrypted_client_hello }
  if (extensions.encrypted_client_hello !== undefined || permute === undefined) {
    return { ...content, extensions: { ...extensions, ...added } }
  }
  const entries = Object.entries(extensions)
  const at = draw(permute, 1)[0]! % (entries.length + 1)
  const placed = [...entries.slice(0, at), ...Object.entries(added), ...entries.slice(at)]
  return { ...content, extensions: Object.fromEntries(placed) as ClientHelloExtensions }
}

/** What a server finds in ClientHelloOuter. Arrays are views. @throws InvalidMessage decode_error, PeerMisbehaved illegal_parameter */
export function decodeEchOuter(contents: Uint8Array): EchOuter {
  const reader = new Reader(contents, "encrypted_client_hello")
  const type = reader.uint8()
  if (type === 1) reader.expectEnd()
  // Section 7: "A shared mode server which receives a ClientHello with ECHClientHello.type of `inner` MUST abort with an
  // "illegal_parameter" alert", and so for a type that is none.
  if (type !== 0) {
    const what = type === 1 ? "inner: it was not encrypted" : `${type}, which is none`
    throw new PeerMisbehaved("illegal_parameter", `encrypted_client_hello has the type ${what} (RFC 9849 section 7)`)
  }
  const suite = { kdf: reader.uint16(), aead: reader.uint16() }
  const configId = reader.uint8()
  const enc = reader.vector16("enc")
  const payload = reader.vector16("payload", 1)
  reader.expectEnd()
  return { suite, configId, enc, payload }
}
