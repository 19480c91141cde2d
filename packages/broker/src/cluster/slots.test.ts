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

it("goes on when who is told an answer throws, be it at once or later", () => {
  const slots = new Slots(1)
  const first = new Pause<number>()
  slots
    .ask(() => first)
    .onAnswer(() => {
      throw new Error("later")
    })
  const now = (value: number) => () => {
    const answer = new Pause<number>()
    answer.answer(value)
    return answer
  }
  slots.ask(now(1)).onAnswer(() => {
    throw new Error("at once")
  })
  const got: number[] = []
  slots.ask(now(2)).onAnswer((answer) => got.push(answer))
  expect(() => first.answer(0)).toThrow()
  slots.ask(now(3)).onAnswer((answer) => got.push(answer))
  expect([got, slots.taken, slots.waiting]).toEqual([[2, 3], 0, 0])
})
