import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { turnsOfDeno } from "./loop-turns.ts"

it("turns that follow each other for 10 ms are followed by a timer; one that is asked for from elsewhere is an immediate", () => {
  let now = 0
  const due: [kind: string, work: () => void][] = []
  const nextTurn = turnsOfDeno({
    now: () => now,
    immediate: (work) => due.push(["immediate", work]),
    later: (work) => due.push(["later", work]),
  })
  const chain = () => {
    now += 4
    nextTurn(chain)
  }
  nextTurn(chain)
  const kinds = Array.from({ length: 8 }, () => {
    const [kind, work] = due.shift()!
    work()
    return kind
  })
  const [soon, later] = ["immediate", "later"]
  expect(kinds).toEqual([soon, soon, soon, later, soon, soon, later, soon])
  now += 100
  due.length = 0
  nextTurn(() => undefined)
  expect(due.map(([kind]) => kind)).toEqual(["immediate"])
  // What throws ends its turn all the same.
  nextTurn(() => {
    throw new Error("a defect")
  })
  expect(() => due[1]![1]()).toThrow("a defect")
  now += 100
  nextTurn(() => undefined)
  expect(due.at(-1)![0]).toBe("immediate")
})

it("nothing of a server goes by setImmediate itself, which holds up all sockets on Deno", () => {
  const folder = fileURLToPath(new URL(".", import.meta.url))
  const naming = readdirSync(folder)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => /^(?!\s*(\/\/|\*|\/\*)).*setImmediate/m.test(readFileSync(folder + name, "utf8")))
  expect(naming).toEqual(["loop-turns.ts"])
})
