// WebSocket frames (RFC 6455 section 5.2) as a hostile client writes them, and a reader of what a server sends.

import { createHash, randomBytes } from "node:crypto"

export interface Frame {
  /** Default true. */
  readonly fin?: boolean
  /** RSV1 to RSV3 as bits 4, 2 and 1; default 0. */
  readonly reserved?: number
  /** 0 continuation, 1 text, 2 binary (default), 8 close, 9 ping, 10 pong. */
  readonly opcode?: number
  /** Default true, as clients must. */
  readonly masked?: boolean
  /** Which of the three forms the length has; default: the shortest. */
  readonly form?: 7 | 16 | 64
  /** The length that the frame says it has; default: the payload's. */
  readonly length?: number
  readonly payload: Uint8Array
}

export function frame({ fin = true, reserved = 0, opcode = 2, masked = true, ...rest }: Frame): Uint8Array {
  const { payload, length = payload.length } = rest
  const form = rest.form ?? (length < 126 ? 7 : length < 65_536 ? 16 : 64)
  const mask = masked ? 0x80 : 0
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  if (form === 7) head[1] = mask | (length & 0x7f)
  else if (form === 16) {
    head[1] = mask | 126
    head.writeUInt16BE(length & 0xffff, 2)
  } else {
    head[1] = mask | 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  // The mask is there for proxies; zeros are as good a key as any here.
  return Buffer.concat(masked ? [head, Buffer.alloc(4), payload] : [head, payload])
}

export interface Upgrade {
  readonly path?: string
  readonly host?: string
  readonly origin?: string
  readonly protocol?: string
  /** Further header lines, without line ends. */
  readonly headers?: readonly string[]
}

export function upgradeRequest(options: Upgrade = {}): { readonly text: string; readonly accept: string } {
  const key = randomBytes(16).toString("base64")
  const lines = [
    `GET ${options.path ?? "/mqtt"} HTTP/1.1`,
    `Host: ${options.host ?? "localhost"}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    `Sec-WebSocket-Protocol: ${options.protocol ?? "mqtt"}`,
    ...(options.origin === undefined ? [] : [`Origin: ${options.origin}`]),
    ...(options.headers ?? []),
  ]
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
  return { text: `${lines.join("\r\n")}\r\n\r\n`, accept }
}

/** The payloads of the frames that a server sends. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0)

  push(bytes: Uint8Array): { readonly opcode: number; readonly payload: Uint8Array }[] {
    this.#held = Buffer.concat([this.#held, bytes])
    const frames: { opcode: number; payload: Uint8Array }[] = []
    for (;;) {
      const held = this.#held
      if (held.length < 2) return frames
      let length = held[1]! & 0x7f
      let at = 2
      if (length === 126) {
        if (held.length < 4) return frames
        length = held.readUInt16BE(2)
        at = 4
      } else if (length === 127) {
        if (held.length < 10) return frames
        length = Number(held.readBigUInt64BE(2))
        at = 10
      }
      if (held.length < at + length) return frames
      frames.push({ opcode: held[0]! & 15, payload: held.subarray(at, at + length) })
      this.#held = held.subarray(at + length)
    }
  }
}
