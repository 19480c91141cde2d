// ClientHelloInner out of EncodedClientHelloInner and ClientHelloOuter, the server's side: RFC 9849 section 5.1, and the checks of
// section 7.1 on what comes out.

import { ProtocolVersion } from "../bytes/code-points.ts"
import { equalBytes, isAllZero } from "../bytes/equal.ts"
import { InvalidMessage, PeerMisbehaved } from "../bytes/errors.ts"
import { Reader } from "../bytes/reader.ts"
import { decodeClientHello } from "../codec/client-hello.ts"
import type { RawExtension } from "../codec/extensions/block.ts"
import { type HandshakeMessage, handshakeMessage } from "../codec/message.ts"
import { echInner, echOuterExtensionsType, encryptedClientHelloType } from "./inner.ts"
import { type RawClientHello, rawHelloMessage, readRawHello } from "./raw-hello.ts"

/** The ClientHello that the server answers. @throws InvalidMessage decode_error or illegal_parameter, PeerMisbehaved illegal_parameter */
export function decodeInner(encoded: Uint8Array, outer: RawClientHello): HandshakeMessage {
  const reader = new Reader(encoded, "EncodedClientHelloInner")
  const inner = readRawHello(reader, "EncodedClientHelloInner")
  // "If any padding byte is non-zero, the server MUST abort the connection with an "illegal_parameter" alert."
  if (!isAllZero(reader.rest())) throw refused("EncodedClientHelloInner is padded with other bytes than zeros")
  // "setting the `legacy_session_id` field to the empty string"
  if (inner.legacySessionId.length > 0) throw refused("EncodedClientHelloInner has a legacy_session_id of its own")
  const extensions = expanded(inner.extensions, outer.extensions)
  // They fit: each is a part of ClientHelloOuter, in the payload or beside it, and stands here once.
  const message = handshakeMessage(rawHelloMessage({ ...inner, legacySessionId: outer.legacySessionId, extensions }))
  check(message)
  return message
}

/** ech_outer_extensions replaced by what it names, in linear time: appendix A. */
function expanded(inner: readonly RawExtension[], outer: readonly RawExtension[]): readonly RawExtension[] {
  const at = inner.findIndex(({ type }) => type === echOuterExtensionsType)
  const isNamedAgain = inner.some(({ type }, index) => type === echOuterExtensionsType && index !== at)
  if (isNamedAgain) throw refused("EncodedClientHelloInner has ech_outer_extensions twice")
  if (at === -1) return inner
  const list = new Reader(inner[at]!.data, "ech_outer_extensions")
  const types = list.uint16ShortList("OuterExtensions")
  list.expectEnd()
  let next = 0
  const named = types.map((type) => {
    if (type === encryptedClientHelloType) throw refused("ech_outer_extensions names encrypted_client_hello")
    if (type === echOuterExtensionsType) throw refused("ech_outer_extensions names itself")
    while (next < outer.length && outer[next]!.type !== type) next++
    const found = outer[next++]
    if (found === undefined) {
      const name = `0x${type.toString(16).padStart(4, "0")}`
      throw refused(`ech_outer_extensions names ${name}, which ClientHelloOuter does not have, or not in this place`)
    }
    return found
  })
  return [...inner.slice(0, at), ...named, ...inner.slice(at + 1)]
}

/** Section 7.1: "a well-formed "encrypted_client_hello" extension of type `inner`", and no offer of TLS 1.2 or below. */
function check(message: HandshakeMessage): void {
  const { extensions } = decodeClientHello(message)
  const { encrypted_client_hello: ech, supported_versions: versions } = extensions
  if (ech === undefined || !equalBytes(ech, echInner)) {
    throw new PeerMisbehaved("illegal_parameter", "ClientHelloInner lacks encrypted_client_hello of type inner")
  }
  const isOld = (version: number): boolean => version >= 0x0300 && version <= ProtocolVersion.tls12
  if (versions === undefined || versions.some(isOld)) {
    throw new PeerMisbehaved("illegal_parameter", "ClientHelloInner offers TLS 1.2 or below (RFC 9849 section 7.1)")
  }
}

function refused(what: string): InvalidMessage {
  return new InvalidMessage(`${what} (RFC 9849 section 5.1)`, "illegal_parameter")
}
