import { expect, it } from "vitest"
import { StoppedServers } from "./deno.ts"

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
