import { describe, expect, it } from "vitest"
import { LateOutput } from "./late-output.ts"

/** A small generator with a seed. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % below
  }
}

interface Packet {
  /** Which one; also its bytes. */
  readonly id: number
  /** 0: depends on nothing. */
  readonly turn: number
  readonly connack: boolean
}

describe("packets that depend on turns", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "seed %i: leave when theirs is committed, in their order, and all of them once",
    (seed) => {
      const below = random(seed)
      const late = new LateOutput()
      const left: number[] = []
      const packets: Packet[] = []
      let turn = 0
      let committed = 0
      let outbox: { packet: Packet; bytes: Uint8Array }[] = []
      let size = 0
      const flush = () => {
        const chunks: Uint8Array[] = []
        // Chunks know nothing of packets.
        const all = Uint8Array.from(outbox.flatMap(({ bytes }) => [...bytes]))
        for (let at = 0; at < all.length; ) {
          const length = 1 + below(7)
          chunks.push(all.subarray(at, at + length))
          at += length
        }
        outbox = []
        size = 0
        const leaving = late.take(chunks, committed).flatMap((chunk) => [...chunk])
        for (let at = 0; at < leaving.length; at += 1 + (leaving[at]! % 4)) left.push(leaving[at]!)
      }
      for (let id = 0; id < 250; id++) {
        if (below(3) === 0) turn++
        const waits = id === 0 || below(2) === 0
        const packet = { id, turn: waits ? turn : 0, connack: id === 0 }
        packets.push(packet)
        const bytes = new Uint8Array(1 + (id % 4)).fill(id)
        outbox.push({ packet, bytes })
        if (packet.turn > committed) late.mark(size, size + bytes.length, packet.turn, packet.connack)
        size += bytes.length
        if (below(4) === 0) committed += below(turn - committed + 1)
        if (below(5) !== 0) continue
        flush()
        for (const one of packets) if (left.includes(one.id)) expect(one.turn).toBeLessThanOrEqual(committed)
        if (!left.includes(0)) expect(left).toEqual([])
      }
      committed = turn
      flush()
      expect([...left].sort((a, b) => a - b)).toEqual(packets.map(({ id }) => id))
      expect([late.size, late.waits(committed)]).toEqual([0, false])
      const inOrder = (ids: readonly number[]) => expect(ids).toEqual([...ids].sort((a, b) => a - b))
      inOrder(left.filter((id) => packets[id]!.turn > 0))
      inOrder(left.filter((id) => packets[id]!.turn === 0))
      expect(left[0]).toBe(0)
    },
  )
})
