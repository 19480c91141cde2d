import { expect, it } from "vitest"
import { RecentOfTwo } from "./recent.ts"

it("of two kinds each keeps its own, and they are read in the order in which they came", () => {
  const recent = new RecentOfTwo<string>(3, (text) => text.startsWith("login"))
  const read = (before?: number) => [...recent.newest(before)].map(({ id, entry }) => `${id} ${entry}`)
  expect(read()).toEqual([])
  recent.add("login one")
  for (let i = 0; i < 10; i++) recent.add(`publish ${i}`)
  recent.add("login two")
  expect(read()).toEqual(["12 login two", "11 publish 9", "10 publish 8", "9 publish 7", "1 login one"])
  expect(read(11)).toEqual(["10 publish 8", "9 publish 7", "1 login one"])
  recent.add("publish 10")
  expect(read(11)).toEqual(["10 publish 8", "1 login one"])
})
