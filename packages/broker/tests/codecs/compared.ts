// Two codecs as one: it answers as the second does, and notes where the first says something else, values, bytes or errors.

import { createHash } from "node:crypto"
import type { Codec } from "../../src/packet/codec.ts"
import { PacketError } from "../../src/packet/errors.ts"

export interface Compared extends Codec {
  /** How many calls there were. */
  calls: number
  /** Those where the two did not agree. */
  readonly differences: string[]
}

export function compared(first: Codec, second: Codec): Compared {
  const both = <T>(what: string, bytes: Uint8Array | undefined, work: (codec: Codec) => T): T => {
    result.calls++
    const [before, one, other] = [digest(bytes), outcome(() => work(first)), outcome(() => work(second))]
    if (told(one) !== told(other)) {
      const given = bytes === undefined ? "" : ` of ${hex(bytes.subarray(0, 2000))}`
      result.differences.push(`${what}${given}\n  ${told(one)}\n  ${told(other)}`)
    }
    if (digest(bytes) !== before) result.differences.push(`${what} has changed what it read`)
    if ("thrown" in other) throw other.thrown
    return other.value
  }
  const result: Compared = {
    calls: 0,
    differences: [],
    readConnect: (bytes, start, ...rest) =>
      both("CONNECT", bytes.subarray(start, rest[1]), (codec) => codec.readConnect(bytes, start, ...rest)),
    readClientPacket: (type, bytes, start, ...rest) =>
      both(`packet type ${type} (${rest[2]})`, bytes.subarray(start, rest[1]), (codec) =>
        codec.readClientPacket(type, bytes, start, ...rest),
      ),
    writeServerPacket: (packet, ...rest) =>
      both(`writing ${told(packet)} for ${rest}`, undefined, (codec) => codec.writeServerPacket(packet, ...rest)),
  }
  return result
}

type Outcome<T> = { readonly value: T } | { readonly thrown: unknown }

function outcome<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() }
  } catch (thrown) {
    return { thrown }
  }
}

/** A value as text: a member that is undefined is none, and of errors all that a peer or the log sees. */
export function told(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (one instanceof Uint8Array) return `bytes ${hex(one)}`
    if (one instanceof PacketError) return `PacketError ${one.reasonCode} ${one.rule} ${one.message}`
    if (one instanceof Error) return `${one.name} ${one.stack}`
    // A Buffer has made itself an object before it gets here.
    if (isBuffer(one)) return `bytes ${hex(Uint8Array.from(one.data))}`
    if (typeof one === "object" && one !== null && !Array.isArray(one)) return sorted(one)
    return one
  })
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isBuffer(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}

function digest(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : createHash("sha1").update(bytes).digest("hex")
}
