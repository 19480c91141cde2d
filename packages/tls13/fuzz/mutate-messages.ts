// Changes of bytes and of handshake messages. The structure-aware ones keep lengths right, so that what is changed reaches
// the rule behind the parser.

import { ExtensionType, HandshakeType } from "../src/bytes/code-points.ts"
import { TlsError } from "../src/bytes/errors.ts"
import { editBody, editClientHello, editExtensions, editServerHello, type RawExtension } from "../tests/tools/edit.ts"
import type { Random } from "./random.ts"

/** Values at the edges of fields. */
const edges = [0, 1, 2, 3, 4, 15, 16, 22, 23, 31, 32, 33, 63, 64, 65, 127, 128, 254, 255]

/** One to a few changes of bytes anywhere. */
export function mutateBytes(bytes: Uint8Array, random: Random, splice: Uint8Array = bytes): Uint8Array {
  let changed: Uint8Array = bytes.slice()
  for (let changes = 1 + random.integer(3); changes > 0; changes--) changed = mutateOnce(changed, random, splice)
  return changed
}

function mutateOnce(bytes: Uint8Array, random: Random, splice: Uint8Array): Uint8Array {
  const at = random.integer(bytes.length + 1)
  const length = Math.min(bytes.length - at, 1 + random.integer(random.oneIn(4) ? 64 : 4))
  switch (random.integer(9)) {
    case 0:
      return replaced(bytes, at, 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.integer(8))))
    case 1:
      return replaced(bytes, at, 1, Uint8Array.of(random.pick(edges)))
    case 2:
      return replaced(bytes, at, 1, random.bytes(1))
    case 3:
      return replaced(bytes, at, 0, random.bytes(length))
    case 4:
      return replaced(bytes, at, length, new Uint8Array(0))
    case 5:
      return replaced(bytes, at, 0, bytes.subarray(at, at + length))
    case 6:
      return bytes.slice(0, at)
    case 7: {
      const from = random.integer(splice.length + 1)
      return replaced(bytes, at, length, splice.subarray(from, from + 1 + random.integer(64)))
    }
    default:
      // A two-byte length, a little or very wrong.
      return replaced(bytes, at, 2, random.oneIn(3) ? random.bytes(2) : Uint8Array.of(0, random.pick(edges)))
  }
}

function replaced(bytes: Uint8Array, at: number, length: number, by: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.max(0, bytes.length - length) + by.length)
  whole.set(bytes.subarray(0, at))
  whole.set(by.subarray(0, whole.length - at), at)
  whole.set(bytes.subarray(Math.min(bytes.length, at + length), bytes.length), Math.min(whole.length, at + by.length))
  return whole
}

/** Changes a handshake message: its fields when it can be taken apart, else its bytes under a right length. */
export function mutateMessage(message: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  if (random.oneIn(8)) return mutateBytes(message, random)
  if (random.oneIn(3)) return editBody(message, (body) => mutateBytes(body, random, random.pick(others)))
  try {
    return mutateFields(message, random)
  } catch (error) {
    // It was changed before, and cannot be taken apart any more.
    if (error instanceof TlsError || error instanceof RangeError) return mutateBytes(message, random)
    throw error
  }
}

function mutateFields(message: Uint8Array, random: Random): Uint8Array {
  switch (message[0]) {
    case HandshakeType.client_hello:
      return editClientHello(message, (hello) => {
        if (random.oneIn(2)) mutateExtensions(hello.extensions, random)
        else {
          const field = random.pick([
            "random",
            "legacySessionId",
            "cipherSuites",
            "legacyCompressionMethods",
            "legacyVersion",
          ] as const)
          if (field === "legacyVersion") hello.legacyVersion = 0x0300 + random.integer(6)
          else if (field === "random") hello.random = random.bytes(32)
          else hello[field] = mutateBytes(hello[field], random).subarray(0, 255)
        }
      })
    case HandshakeType.server_hello:
      return editServerHello(message, (hello) => {
        switch (random.integer(6)) {
          case 0:
            hello.cipherSuite = random.pick([0x1301, 0x1302, 0x1303, 0x1304, 0x0a0a, 0xc02f])
            break
          case 1:
            hello.legacySessionIdEcho = mutateBytes(hello.legacySessionIdEcho, random).subarray(0, 255)
            break
          case 2:
            hello.random = random.bytes(32)
            break
          default:
            mutateExtensions(hello.extensions, random)
        }
      })
    case HandshakeType.encrypted_extensions:
    case HandshakeType.certificate_request:
    case HandshakeType.new_session_ticket:
      return editExtensions(message, (extensions) => mutateExtensions(extensions, random))
    default:
      return editBody(message, (body) => mutateBytes(body, random))
  }
}

const knownTypes = Object.values(ExtensionType)

function mutateExtensions(extensions: RawExtension[], random: Random): void {
  const at = random.integer(Math.max(1, extensions.length))
  const chosen = extensions[at]
  const added = { type: random.pick(knownTypes), data: random.bytes(random.pick([0, 1, 2, 3, 4, 5, 8])) }
  switch (random.integer(7)) {
    case 0:
      extensions.splice(at, 1)
      break
    case 1:
      if (chosen) extensions.push(chosen)
      break
    case 2:
      extensions.splice(at, 0, added)
      break
    case 3:
      extensions.reverse()
      break
    case 4:
      if (chosen) chosen.type = random.oneIn(2) ? random.pick(knownTypes) : random.integer(0x10000)
      break
    default:
      if (chosen) chosen.data = mutateBytes(chosen.data, random)
  }
}
