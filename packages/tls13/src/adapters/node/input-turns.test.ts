import { expect, it } from "vitest"
import { InputTurns } from "./input-turns.ts"

const busy = (milliseconds: number) => {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

it("work of one line is done a little in each turn, in order, and does not hold up the other line", async () => {
  const turns = new InputTurns((cause) => {
    throw cause
  })
  const done: number[] = []
  for (let i = 0; i < 20; i++) {
    const work = () => {
      busy(8)
      done.push(i)
    }
    if (turns.isOver("handshakes")) turns.later("handshakes", work)
    else turns.now("handshakes", work)
  }
  // 20 milliseconds of it, and what was under way then.
  expect(done.length).toBeLessThanOrEqual(3)
  expect(turns.isOver("handshakes")).toBe(true)
  expect(turns.isOver("connected")).toBe(false)
  let rounds = 0
  for (let before = 0; done.length < 20; before = done.length, rounds++) {
    await turn()
    expect(done.length - before).toBeLessThanOrEqual(6)
  }
  expect(rounds).toBeGreaterThanOrEqual(4)
  expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i))
  await turn()
  await turn()
  expect(turns.isOver("handshakes")).toBe(false)
})
