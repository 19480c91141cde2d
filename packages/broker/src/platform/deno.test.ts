import { expect, it } from "vitest"
import { StoppedServers, turnsOfDeno } from "./deno.ts"

it("servers that listen are told to listen again; one that is closed, or is otherwise inside, is left alone", () => {
  const told: number[] = []
  const server: { _handle: unknown } = { _handle: { listen: (backlog: number) => told.push(backlog) } }
  const servers = new StoppedServers()
  for (const each of [server, {}, { _handle: null }, { _handle: {} }, { _handle: { listen: 1 } }]) servers.add(each)
  servers.wake(7)
  servers.wake(7)
  server._handle = null
  servers.wake(7)
  expect(told).toEqual([7, 7])
})

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
