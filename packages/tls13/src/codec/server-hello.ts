// ServerHello (RFC 9846 section 4.2.3) and HelloRetryRequest (section 4.2.4): one structure, told apart by its random.

import { equalBytes } from "../bytes/equal.ts"
import { InvalidMessage } from "../bytes/errors.ts"
import { nothing } from "../bytes/nothing.ts"
import { asciiToBytes } from "../bytes/text.ts"
import type { Writer } from "../bytes/writer.ts"
import { decodeExtensions, encodeExtensions } from "./extensions/block.ts"
import type { ExtensionTable } from "./extensions/codec.ts"
import type { HelloRetryRequestExtensions, ServerHelloExtensions } from "./extensions/messages.ts"
import { allExtensions } from "./extensions/table.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

interface HelloFields {
  readonly legacyVersion: number
  readonly random: Uint8Array
  readonly legacySessionIdEcho: Uint8Array
  readonly cipherSuite: number
  readonly legacyCompressionMethod: number
  readonly extensionTypes: readonly number[]
}

export interface ServerHello extends HelloFields {
  readonly kind: "server_hello"
  readonly extensions: ServerHelloExtensions
}

export interface HelloRetryRequest extends HelloFields {
  readonly kind: "hello_retry_request"
  readonly extensions: HelloRetryRequestExtensions
}

/** A ServerHello of TLS 1.2 or before: enough of it to say so, and to see a downgrade. */
export interface LegacyServerHello {
  readonly kind: "legacy"
  readonly legacyVersion: number
  readonly random: Uint8Array
}

/** SHA-256 of "HelloRetryRequest". */
const helloRetryRequestRandom = /* @__PURE__ */ Uint8Array.of(
  ...[0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91],
  ...[0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c],
)

export function encodeServerHello(
  hello: Pick<ServerHello, "random" | "legacySessionIdEcho" | "cipherSuite" | "extensions">,
): Uint8Array {
  return encodeHandshake("server_hello", (writer) => {
    writeFixedPart(hello.random, hello.legacySessionIdEcho, hello.cipherSuite, writer)
    encodeExtensions(hello.extensions, "SH", writer, allExtensions)
  })
}

export function encodeHelloRetryRequest(
  retry: Pick<HelloRetryRequest, "legacySessionIdEcho" | "cipherSuite" | "extensions">,
): Uint8Array {
  return encodeHandshake("server_hello", (writer) => {
    writeFixedPart(helloRetryRequestRandom, retry.legacySessionIdEcho, retry.cipherSuite, writer)
    encodeExtensions(retry.extensions, "HRR", writer, allExtensions)
  })
}

function writeFixedPart(random: Uint8Array, sessionIdEcho: Uint8Array, cipherSuite: number, writer: Writer): void {
  writer.uint16(0x0303).bytes(random).vector8(sessionIdEcho).uint16(cipherSuite).uint8(0)
}

export function isHelloRetryRequest(message: HandshakeMessage): boolean {
  return message.body.length >= 34 && equalBytes(message.body.subarray(2, 34), helloRetryRequestRandom)
}

/**
 * "Upon receiving a message with type server_hello, implementations MUST first examine the Random value", then the
 * version: a hello without supported_versions is of TLS 1.2 or before and may look otherwise behind its fixed part.
 */
export function decodeServerHello(message: HandshakeMessage): ServerHello | HelloRetryRequest | LegacyServerHello {
  return decodeServerHelloBy(allExtensions, message)
}

export function decodeServerHelloBy(
  table: ExtensionTable,
  message: HandshakeMessage,
): ServerHello | HelloRetryRequest | LegacyServerHello {
  return decodeBody(message, "ServerHello", (reader) => {
    const legacyVersion = reader.uint16()
    const random = reader.bytes(32)
    const fields = {
      legacyVersion,
      random,
      legacySessionIdEcho: reader.vector8("legacy_session_id_echo", 0, 32),
      cipherSuite: reader.uint16(),
      legacyCompressionMethod: reader.uint8(),
    }
    const block = reader.remaining === 0 ? nothing : reader.vector16("extensions")
    if (isHelloRetryRequest(message)) {
      const { values, types } = decodeExtensions(block, "HRR", "HelloRetryRequest", table)
      return { kind: "hello_retry_request", ...fields, extensions: values, extensionTypes: types }
    }
    if (!hasSupportedVersions(block)) return { kind: "legacy", legacyVersion, random }
    const { values, types } = decodeExtensions(block, "SH", "ServerHello", table)
    return { kind: "server_hello", ...fields, extensions: values, extensionTypes: types }
  })
}

function hasSupportedVersions(block: Uint8Array): boolean {
  for (let at = 0; at + 4 <= block.length; ) {
    if (((block[at]! << 8) | block[at + 1]!) === 43) return true
    at += 4 + ((block[at + 2]! << 8) | block[at + 3]!)
  }
  return false
}

/** The last eight bytes of a TLS 1.3 server's random when it negotiates TLS 1.2 (…01) or below (…00). */
const downgradeSentinel = /* @__PURE__ */ asciiToBytes("DOWNGRD")

/** Whether a random ends in one of the two downgrade sentinels (section 4.2.3). */
export function hasDowngradeSentinel(random: Uint8Array): boolean {
  const last = random[31]!
  return equalBytes(random.subarray(24, 31), downgradeSentinel) && (last === 0 || last === 1)
}

/** Fields that ServerHello and HelloRetryRequest may not vary (section 4.2.3). @throws InvalidMessage with the alert of the field */
export function checkFixedFields(hello: ServerHello | HelloRetryRequest, legacySessionId: Uint8Array): void {
  if (hello.legacyVersion !== 0x0303) {
    throw new InvalidMessage("legacy_version of ServerHello is not 0x0303", "protocol_version")
  }
  if (!equalBytes(hello.legacySessionIdEcho, legacySessionId)) {
    throw new InvalidMessage("server does not echo legacy_session_id", "illegal_parameter")
  }
  if (hello.legacyCompressionMethod !== 0) {
    throw new InvalidMessage("server selects a compression method", "illegal_parameter")
  }
}
