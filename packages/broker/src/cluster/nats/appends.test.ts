import { expect, it } from "vitest"
import type { Appended } from "../streams.ts"
import { Appends } from "./appends.ts"
import type { Link } from "./link.ts"

it("a message is never taken that is more than servers take by now", () => {
  let largest = 100
  const link = { reachable: false, tell: (work: () => void) => work() } as unknown as Link
  const appends = new Appends(link, { stream: "s", prefix: "", largest: () => largest, age: undefined, timeout: 1000 })
  const said: Appended[] = []
  const append = () => {
    const batch = [{ subject: "m.a", headers: {}, data: new Uint8Array(60) }]
    appends.append(batch).onAnswer((answer) => said.push(answer))
  }
  append()
  largest = 50
  append()
  expect(said.map((answer) => "final" in answer && answer.final)).toEqual([undefined, true])
})
