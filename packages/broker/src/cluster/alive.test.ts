import { expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import type { NodeSaid } from "../ports/nodes.ts"
import { encodeAlive, readAlive } from "./alive.ts"
import { OwnNode } from "./own-node.ts"

const said: NodeSaid = {
  id: "0123456789abcdef",
  name: "hall-1.example",
  version: "0.1.0",
  startedAt: 1_800_000_000_000,
  clients: 3,
  sessions: 5,
  received: 12.5,
  sent: 0,
}

it("a sign of life is read as it was said, and what a newer version says beside is left out", () => {
  const now = 1_800_000_100_000
  expect(readAlive(encodeAlive({ said, now }))).toEqual({ said, now })
  expect(readAlive(encodeText(JSON.stringify({ ...said, now, more: [1] })))).toEqual({ said, now })
  // The longest that one can be.
  const most = Number.MAX_SAFE_INTEGER
  const names = { id: "x".repeat(64), name: "x".repeat(64), version: "x".repeat(64) }
  const longest = { ...names, startedAt: 8.64e15, clients: most, sessions: most, received: most, sent: most }
  expect(readAlive(encodeAlive({ said: longest, now: most }))).toEqual({ said: longest, now: most })
})

it.each([
  ["no JSON", "0123456789abcdef"],
  ["no object", "7"],
  ["null", "null"],
  ["a list", "[]"],
  ["too long", JSON.stringify({ ...said, now: 7, more: "x".repeat(1024) })],
  ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
  ...(
    [
      ["id", ["", 7, "a b", "x".repeat(65), undefined, "a\n"]],
      ["name", ["", "a b", "\u001b[2J", "x".repeat(65), "kitchen\n", null]],
      ["version", ["", "1 2", "x".repeat(65), "1\n", {}]],
      ["startedAt", [-1, 1.5, "7", 8.64e15 + 2]],
      ["clients", [-1, 0.5, 1e300, null]],
      ["sessions", [-1, undefined]],
      ["received", [-0.1, "1", 1e300]],
      ["sent", [-1, null]],
      ["now", [-1, 0.5, "7", undefined]],
    ] as const
  ).flatMap(([key, values]) =>
    values.map((value): [string, string] => [
      `${key} ${JSON.stringify(value)}`.slice(0, 60),
      JSON.stringify({ ...said, now: 7, [key]: value }),
    ]),
  ),
])("%s is none", (_, data) => {
  expect(readAlive(typeof data === "string" ? encodeText(data) : data)).toBeUndefined()
})

it("packets a second are those of the last seconds", () => {
  let [received, sent] = [100, 7]
  const figures = () => ({ clients: 1, sessions: 2, received, sent })
  const own = new OwnNode({ id: "a", name: "a", version: "1", startedAt: 5, figures })
  const rates = () => [own.said.received, own.said.sent]
  own.tick(0)
  expect(rates()).toEqual([0, 0])
  received += 30
  sent += 1
  for (const now of [1000, 2000]) own.tick(now)
  expect(rates()).toEqual([0, 0])
  own.tick(3000)
  expect(rates()).toEqual([10, 0.3])
  own.tick(6500)
  expect(rates()).toEqual([0, 0])
  expect(own.view(9)).toMatchObject({ id: "a", startedAt: 5, clients: 1, sessions: 2, state: "this", heardAt: 9 })
})
