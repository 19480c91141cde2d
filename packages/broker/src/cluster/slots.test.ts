import { expect, it } from "vitest"
import { Pause } from "../ports/pause.ts"
import { Slots } from "./slots.ts"

it("asks so many at once, and the others in their order as answers come", () => {
  const slots = new Slots(2)
  const asked: { readonly name: string; readonly answer: Pause<string> }[] = []
  const got: string[] = []
  for (const name of ["a", "b", "c", "d"]) {
    const question = () => {
      const answer = new Pause<string>()
      asked.push({ name, answer })
      return answer
    }
    slots.ask(question).onAnswer((answer) => got.push(answer))
  }
  expect([asked.length, slots.taken, slots.waiting]).toEqual([2, 2, 2])
  asked[1]!.answer.answer("b!")
  expect(asked.map(({ name }) => name)).toEqual(["a", "b", "c"])
  for (const { answer, name } of [...asked]) answer.answer(`${name}!`)
  expect(got).toEqual(["b!", "a!", "c!"])
  asked[3]!.answer.answer("d!")
  expect([got.at(-1), slots.taken, slots.waiting]).toEqual(["d!", 0, 0])
})

it("has room for many whose answers come at once", () => {
  const slots = new Slots(1)
  let count = 0
  const first = new Pause<number>()
  slots.ask(() => first)
  for (let at = 0; at < 100_000; at++) {
    slots
      .ask(() => {
        const now = new Pause<number>()
        now.answer(at)
        return now
      })
      .onAnswer((answer) => {
        count += answer === at ? 1 : 0
      })
  }
  first.answer(0)
  expect([count, slots.taken, slots.waiting]).toEqual([100_000, 0, 0])
})
