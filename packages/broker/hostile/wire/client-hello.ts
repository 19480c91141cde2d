// A ClientHello with one key share, whole and right as far as a server can see before it computes with the share.

import { createECDH, randomBytes } from "node:crypto"

const curves: Readonly<Record<number, string>> = { 23: "prime256v1", 24: "secp384r1", 25: "secp521r1" }

export interface HelloOptions {
  readonly serverName?: string | Uint8Array
  readonly alpn?: readonly Uint8Array[]
}

/** A record with a ClientHello that offers this group alone. @param group secp256r1, secp384r1, secp521r1 or x25519 */
export function rawClientHello(group: number, options: HelloOptions = {}): Uint8Array {
  const curve = curves[group]
  // Any 32 bytes are a share of X25519.
  const share = curve === undefined ? randomBytes(32) : createECDH(curve).generateKeys()
  const name = Buffer.from(options.serverName ?? "localhost")
  const extensions = [
    extension(0, vector16(Buffer.concat([Uint8Array.of(0), vector16(name)]))),
    extension(10, vector16(uint16(group))),
    extension(13, vector16(Buffer.concat([0x0403, 0x0804, 0x0805, 0x0401].map(uint16)))),
    ...(options.alpn ? [extension(16, vector16(Buffer.concat(options.alpn.map(vector8))))] : []),
    extension(43, vector8(uint16(0x0304))),
    extension(51, vector16(Buffer.concat([uint16(group), vector16(share)]))),
  ]
  const body = Buffer.concat([
    uint16(0x0303),
    randomBytes(32),
    vector8(randomBytes(32)),
    vector16(Buffer.concat([0x1301, 0x1302, 0x1303].map(uint16))),
    vector8(Uint8Array.of(0)),
    vector16(Buffer.concat(extensions)),
  ])
  const message = Buffer.concat([Uint8Array.of(1, body.length >> 16, body.length >> 8, body.length & 255), body])
  return Buffer.concat([Uint8Array.of(22, 3, 1), vector16(message)])
}

function extension(type: number, data: Uint8Array): Uint8Array {
  return Buffer.concat([uint16(type), vector16(data)])
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255)
}

function vector8(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length), bytes])
}

function vector16(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([uint16(bytes.length), bytes])
}
