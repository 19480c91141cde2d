import { expect, it } from "vitest"
import { warmedBy } from "./server-load.ts"

/** Slices of so many connections, each of 2 ms. */
function slices(connections: number) {
  let made = 0
  const slice = async () => {
    made++
    return { connections, busy: 2 * connections }
  }
  return { slice, made: () => made }
}

it("a round that does not count goes on until there were enough connections, however few a busy machine makes in a slice", async () => {
  const [quiet, busy, stuck] = [slices(300), slices(100), slices(8)]
  expect(await warmedBy(quiet.slice)).toBe(500)
  expect(await warmedBy(busy.slice)).toBe(500)
  expect(await warmedBy(stuck.slice)).toBe(500)
  expect([quiet.made(), busy.made(), stuck.made()]).toEqual([1, 3, 6])
})
