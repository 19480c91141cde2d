import { expect, it } from "vitest"
import { seeded } from "../../../tls13/fuzz/random.ts"
import { finish, lineByLine } from "./lines.ts"

function linesOf(text: string): string[] {
  const lines: string[] = []
  finish(
    lineByLine(text, (line, number) => {
      lines.push(line)
      expect(number).toBe(lines.length)
    }),
  )
  return lines
}

it("lines end with LF or CRLF, and the last one with the text", () => {
  const random = seeded(5)
  const parts = ["a", "bb", "\n", "\n", "\r\n", "\r", " ", "#"]
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: random.integer(12) }, () => random.pick(parts)).join("")
    expect(linesOf(text)).toEqual(text.split(/\r?\n/))
  }
})

it("a step has a hundred lines, and what `each` throws comes out of it", () => {
  let count = 0
  const steps = lineByLine("x\n".repeat(1000), () => {
    count++
  })
  for (let step = 1; step <= 10; step++) {
    expect(steps.next().done).toBe(false)
    expect(count).toBe(100 * step)
  }
  expect(steps.next().done).toBe(true)
  const stops = lineByLine("a\nb\nc", (line) => {
    if (line === "b") throw new Error("b")
  })
  expect(() => finish(stops)).toThrow("b")
})
