// What a message of the benchmark says of itself: 24 bytes, and what fills it up.
//
//   0  which run it is of     4  its stream     8  its number in the stream, from 0
//  12  when it was due: milliseconds since the load began (float64)
//  20  how much later than that it was written: milliseconds (float32)

import { seeded } from "@puremq/tls13/measure"
import { type PublishHead, publishHead } from "../../mqtt-client/packets.ts"
import type { ProtocolVersion } from "../../packet/packets.ts"

/** Bytes. */
export const headerLength = 24

/** Bytes that nothing makes shorter. */
export function filler(size: number): Uint8Array {
  const uniform = seeded(1)
  const block = Uint8Array.from({ length: Math.min(size, 65_536) }, () => Math.floor(256 * uniform()))
  const out = new Uint8Array(size)
  for (let at = 0; at < size; at += block.length) out.set(block.subarray(0, Math.min(block.length, size - at)), at)
  return out
}

export interface Stamp {
  readonly run: number
  readonly stream: number
  readonly sequence: number
  /** Milliseconds since the load began. */
  readonly due: number
  readonly late: number
}

/** undefined: it is no message of a benchmark. */
export function readStamp(view: DataView, start: number, end: number): Stamp | undefined {
  if (end - start < headerLength) return undefined
  return {
    run: view.getUint32(start),
    stream: view.getUint32(start + 4),
    sequence: view.getUint32(start + 8),
    due: view.getFloat64(start + 12),
    late: view.getFloat32(start + 20),
  }
}

/** The PUBLISH packets of one stream: the same bytes, but for Packet Identifier and stamp. */
export class PublishTemplate {
  readonly packet: Uint8Array
  readonly #idAt: number
  readonly #payloadAt: number
  readonly #view: DataView

  constructor(
    { run, stream }: Pick<Stamp, "run" | "stream">,
    { topic, qos, retain, payload }: Omit<PublishHead, "payload" | "properties"> & { readonly payload: Uint8Array },
    version: ProtocolVersion,
  ) {
    const head = publishHead({ topic, qos, retain, payload, properties: [] }, 1, version)
    if (head === undefined) throw new RangeError("a payload that is too long for MQTT")
    this.packet = new Uint8Array(head.length + payload.length)
    this.packet.set(head)
    this.packet.set(payload, head.length)
    // What follows the Packet Identifier is the empty list of properties of MQTT 5.0.
    this.#idAt = qos === 0 ? -1 : head.length - (version === 5 ? 3 : 2)
    this.#payloadAt = head.length
    this.#view = new DataView(this.packet.buffer)
    this.#view.setUint32(head.length, run)
    this.#view.setUint32(head.length + 4, stream)
  }

  /** Writes the packet of a message at `at`; gives the offset after it. @param id 0 in QoS 0 */
  write(out: Uint8Array, at: number, id: number, sequence: number, due: number, late: number): number {
    const [view, payloadAt] = [this.#view, this.#payloadAt]
    if (this.#idAt >= 0) view.setUint16(this.#idAt, id)
    view.setUint32(payloadAt + 8, sequence)
    view.setFloat64(payloadAt + 12, due)
    view.setFloat32(payloadAt + 20, late)
    out.set(this.packet, at)
    return at + this.packet.length
  }
}
