// An execution: what one client sends on one connection, from its seed and number alone.

import { mutateBytes } from "../../tls13/fuzz/mutate-messages.ts"
import type { Random } from "../../tls13/fuzz/random.ts"
import { publish, subscribe, type Version } from "../hostile/wire/mqtt.ts"
import { frame } from "../hostile/wire/websocket.ts"
import { anyPacket, connectPacket } from "./packets.ts"

/** Where the connection is when the sequence gets to its point. */
const states = [
  "before",
  "login",
  "connected",
  "connected",
  "connected",
  "after",
  "resumed",
  "frozen",
  "garbage",
] as const
export type State = (typeof states)[number]

export interface Sequence {
  readonly state: State
  readonly version: Version
  /** In the order in which they are written; each in a write of its own, with a turn of the loop between. */
  readonly chunks: readonly Uint8Array[]
  /** Nothing is read from the connection. */
  readonly frozen: boolean
  /** How it ends: the client's side is closed and the broker's waited for, or all is cut. */
  readonly ending: "end" | "cut"
}

export function makeSequence(random: Random): Sequence {
  const state = random.pick(states)
  const version = random.pick([3, 4, 4, 5, 5, 5] as const)
  const packets = packetsOf(random, state, version)
  return {
    state,
    version,
    chunks: split(random, Buffer.concat(packets.map((each) => (random.oneIn(16) ? mutateBytes(each, random) : each)))),
    frozen: state === "frozen",
    ending: state === "frozen" || random.oneIn(8) ? "cut" : "end",
  }
}

function packetsOf(random: Random, state: State, version: Version): Uint8Array[] {
  const some = (most: number) => Array.from({ length: 1 + random.integer(most) }, () => anyPacket(random, version))
  switch (state) {
    case "before":
      return some(3)
    case "login":
      return [connectPacket(random, version, false), ...(random.oneIn(2) ? some(3) : [])]
    case "connected":
      return [connectPacket(random, version, true), ...some(8)]
    case "after": {
      const goodbye = version === 5 ? [0xe0, 0x02, random.pick([0, 4]), 0] : [0xe0, 0]
      return [connectPacket(random, version, true), ...some(2), Uint8Array.from(goodbye), ...some(3)]
    }
    case "resumed": {
      // What is asked for here waits for whoever takes the session next.
      const filters = [{ filter: "t/#", options: random.integer(3) }]
      return [connectPacket(random, version, true), subscribe(version, 1, filters), ...some(4)]
    }
    case "frozen": {
      const [topic, payload] = ["t/frozen", random.bytes(random.pick([10, 1000, 20_000]))]
      const own = Array.from({ length: 1 + random.integer(20) }, (_, i) =>
        publish(version, topic, payload, { qos: random.pick([0, 1, 2] as const), packetId: i + 1 }),
      )
      return [connectPacket(random, version, true), subscribe(version, 1, [{ filter: topic, options: 2 }]), ...own]
    }
    case "garbage":
      return random.oneIn(2)
        ? [random.bytes(random.integer(300))]
        : [connectPacket(random, version, true), random.bytes(40)]
  }
}

/** In one piece, at a few places, or byte for byte. */
function split(random: Random, bytes: Uint8Array): Uint8Array[] {
  if (!random.oneIn(6)) return [bytes]
  if (random.oneIn(12) && bytes.length < 200) return Array.from(bytes, (byte) => Uint8Array.of(byte))
  const places = Array.from({ length: 1 + random.integer(4) }, () => random.integer(bytes.length + 1)).sort(
    (a, b) => a - b,
  )
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
}

/** The frames that carry a chunk: fragments, pings between them, and now and then one that no client may send. */
export function framesOf(random: Random, chunk: Uint8Array): Uint8Array {
  if (random.oneIn(3)) return frame({ payload: chunk })
  const frames: Uint8Array[] = []
  const parts = split(random, chunk).slice(0, 64)
  const fragmented = random.oneIn(2)
  parts.forEach((payload, i) => {
    const last = i === parts.length - 1
    frames.push(frame({ payload, fin: !fragmented || last, opcode: fragmented && i > 0 ? 0 : 2 }))
    if (random.oneIn(10))
      frames.push(frame({ payload: random.bytes(random.integer(130)), opcode: random.pick([9, 10]) }))
  })
  if (random.oneIn(12)) frames.splice(random.integer(frames.length + 1), 0, oddFrame(random, chunk))
  return Buffer.concat(frames)
}

function oddFrame(random: Random, chunk: Uint8Array): Uint8Array {
  const payload = chunk.subarray(0, random.integer(200))
  switch (random.integer(8)) {
    case 0:
      return frame({ payload, masked: false })
    case 1:
      return frame({ payload, opcode: 1 })
    case 2:
      return frame({ payload, reserved: 1 + random.integer(7) })
    case 3:
      return frame({ payload, opcode: random.integer(16), fin: random.oneIn(2) })
    case 4:
      return frame({ payload, form: random.pick([16, 64] as const) })
    case 5:
      return frame({ payload, form: 64, length: random.pick([2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, 0]) })
    case 6: {
      const code = random.pick([0, 999, 1000, 1001, 1005, 1006, 1012, 2999, 3000, 4999, 5000, 65_535])
      return frame({
        payload: Buffer.concat([Uint8Array.of(code >> 8, code & 255), random.bytes(random.integer(140))]),
        opcode: 8,
      })
    }
    default:
      return mutateBytes(frame({ payload }), random)
  }
}

/** Header lines of an upgrade that is not the usual one. */
export function oddHeaders(random: Random): string[] {
  const value = Buffer.from(random.bytes(random.integer(200)))
    .toString("latin1")
    .replaceAll(/[\r\n\0]/g, "")
  return random.pick([
    [`x-fuzz: ${value}`],
    [`Origin: ${value}`],
    ["Transfer-Encoding: chunked"],
    [`Content-Length: ${random.integer(100)}`],
    ["Sec-WebSocket-Extensions: permessage-deflate"],
    [`Cookie: ${"a=b; ".repeat(random.integer(400))}`],
  ])
}
