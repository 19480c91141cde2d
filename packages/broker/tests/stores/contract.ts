// What every store that keeps something is held to.

import { describe, expect, it } from "vitest"
import type { Change } from "../../src/packet/change.ts"
import type { Store } from "../../src/ports/store.ts"
import { anyChange, anyTurns, folded, Seeded } from "./random-changes.ts"
import { answerOf, handOver, restored } from "./small-hub.ts"

export interface Place {
  /** Opens the store that is there. */
  open(): Promise<Store>
  /** Nothing is left of it. */
  remove(): void
}

/** @param place makes one where nothing is yet */
export function storeContract(name: string, place: () => Place): void {
  const within = async (work: (place: Place) => Promise<void>): Promise<void> => {
    const made = place()
    try {
      await work(made)
    } finally {
      made.remove()
    }
  }
  /** What is kept after all of it was closed and opened again. */
  const reopened = async (place: Place): Promise<Change[]> => {
    const store = await place.open()
    const changes = await restored(store)
    await answerOf(store.close())
    return changes
  }

  describe(`a store: ${name}`, () => {
    it("a new one has nothing, and an empty turn adds nothing", () =>
      within(async (place) => {
        const store = await place.open()
        expect(await restored(store)).toEqual([])
        expect(await handOver(store, [[]])).toMatchObject({ committed: 1 })
        await answerOf(store.close())
        expect(await reopened(place)).toEqual([])
      }))

    it("gives back what was committed, with the fewest Changes, messages first", () =>
      within(async (place) => {
        const turns: Change[][] = []
        for (let seed = 0; seed < 6; seed++) {
          const store = await place.open()
          expect(await restored(store)).toEqual(folded(turns))
          const more = anyTurns(new Seeded(seed), 50)
          expect(await handOver(store, more, 1 + seed)).toEqual({ committed: 50, failures: [] })
          turns.push(...more)
          await answerOf(store.close())
        }
        const all = await reopened(place)
        expect(all).toEqual(folded(turns))
        expect(all.length).toBeGreaterThan(6)
        const types = all.map(({ type }) => type)
        expect(types.lastIndexOf("message")).toBe(types.filter((type) => type === "message").length - 1)
      }))

    it("takes any Changes", () =>
      within(async (place) => {
        const random = new Seeded(5)
        const turns = Array.from({ length: 30 }, () => Array.from({ length: 20 }, () => anyChange(random)))
        const store = await place.open()
        await restored(store)
        expect(await handOver(store, turns, 7)).toEqual({ committed: 30, failures: [] })
        await answerOf(store.close())
        expect(await reopened(place)).toEqual(folded(turns))
      }))

    it("keeps a message of 3 MB, whose bytes are the visitor's", () =>
      within(async (place) => {
        const payload = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7)
        const message: Change = {
          ...{ type: "message", sequence: 1, topic: "t", qos: 1, retain: true, expiresAt: 9 },
          ...{ properties: Uint8Array.of(1), payload },
        }
        const turn: Change[] = [message, { type: "retained", topic: "t", sequence: 1 }]
        const store = await place.open()
        await restored(store)
        await handOver(store, [turn])
        await answerOf(store.close())
        const [kept] = await reopened(place)
        expect(kept?.type === "message" && Buffer.compare(kept.payload, payload)).toBe(0)
        expect(kept?.type === "message" && kept.payload.buffer.byteLength).toBe(3_000_000)
      }))

    it("answers turns in their order, those that wait before it is closed, and none after it", () =>
      within(async (place) => {
        const turns = anyTurns(new Seeded(3), 40)
        const store = await place.open()
        await restored(store)
        const answered: number[] = []
        turns.forEach(
          (turn, i) => void answerOf(store.commit(turn)).then((answer) => answer === "committed" && answered.push(i)),
        )
        await answerOf(store.close())
        expect(answered).toEqual(turns.map((_, i) => i))
        expect(await answerOf(store.commit([]))).toEqual({ failed: expect.stringMatching(/closed/) })
        expect(await reopened(place)).toEqual(folded(turns))
      }))

    it("says that there is enough room", () =>
      within(async (place) => {
        const store = await place.open()
        expect(store.full()).toBeUndefined()
        await answerOf(store.close())
      }))
  })
}
