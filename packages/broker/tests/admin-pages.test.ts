// What a page of a list costs beside a hundred thousand clients. Their connections are made up: a list looks at a few members of them.

import { beforeAll, describe, expect, it } from "vitest"
import type { Connection } from "../src/client/connection.ts"
import type { Page, Paged, Place } from "../src/hub/inspect.ts"
import { OrderedRoster } from "../src/hub/roster.ts"
import { mostLooked, RosterLists } from "../src/hub/views.ts"
import type { ConnectPacket } from "../src/packet/packets.ts"
import type { Session } from "../src/session/session.ts"

const clients = 100_000
const roster = new OrderedRoster()
const lists = new RosterLists({ retainedOn: () => undefined }, roster)

beforeAll(() => {
  for (let i = 0; i < clients; i++) {
    // In no order.
    const number = (i * 7919) % clients
    const owner = { user: `user-${number % 100}`, source: "password", account: "" }
    const session = { clientId: `device-${number}`, owner, subscriptions: new Map(), connected: true }
    const peer = { transport: "tls", address: `10.0.${number >> 8}.${number & 255}:1883`, listener: "tls" }
    const connection = { peer, openedAt: 0, keepAlive: 60, outflow: { size: 0 }, identity: undefined }
    const packet = { protocolVersion: 5, mqtt31: false, cleanStart: true }
    roster.opened(session as unknown as Session)
    roster.came(
      session as unknown as Session,
      connection as unknown as Connection,
      packet as unknown as ConnectPacket,
      { user: owner.user, source: "password" },
    )
    roster.kept(`building/${number % 1000}/${number}`)
  }
}, 60_000)

/** Milliseconds of this process's own, for one of several. */
function cost(times: number, work: () => void): number {
  work()
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / times
}

function whole<T>(read: (paged: Paged) => Page<T>, limit: number): { items: T[]; pages: number } {
  const items: T[] = []
  let [after, pages]: [Place | undefined, number] = [undefined, 0]
  do {
    const page = read({ limit, after })
    items.push(...page.items)
    after = page.next
    pages++
  } while (after !== undefined)
  return { items, pages }
}

describe("beside a hundred thousand clients", () => {
  it.each(["clientId", "user", "address"] as const)("all of them by %s, each once", (by) => {
    const { items } = whole((paged) => lists.clients({ by, prefix: "", ...paged }), 1000)
    expect(items).toHaveLength(clients)
    expect(new Set(items.map(({ clientId }) => clientId)).size).toBe(clients)
  })

  it("a page takes less than 100 ms, wherever it is and whatever is searched for", () => {
    const middle = ["device-5", "device-5"]
    const pages: Record<string, () => unknown> = {
      first: () => lists.clients({ by: "clientId", prefix: "", limit: 1000 }),
      middle: () => lists.clients({ by: "clientId", prefix: "", limit: 1000, after: middle }),
      "by user": () => lists.clients({ by: "user", prefix: "user-42", limit: 1000 }),
      "by address": () => lists.clients({ by: "address", prefix: "10.0.200.", limit: 1000 }),
      "with a filter that few fit": () =>
        lists.clients({ by: "clientId", prefix: "", limit: 1000, wanted: ({ clientId }) => clientId === "none" }),
      sessions: () => lists.sessions({ by: "user", prefix: "user-7", limit: 1000 }),
      topics: () => lists.topics({ parent: "building", limit: 1000 }),
      subscriptions: () => lists.subscriptions({ prefix: "", limit: 1000 }),
    }
    const slow = Object.entries(pages)
      .map(([name, work]) => `${name}: ${cost(5, work).toFixed(1)}`)
      .filter((line) => Number(line.split(": ")[1]) >= 100)
    expect(slow).toEqual([])
  })

  it("one that nothing fits looks at so many, and goes on from there", () => {
    let looked = 0
    const wanted = () => {
      looked++
      return false
    }
    const page = lists.clients({ by: "clientId", prefix: "", limit: 1000, wanted })
    expect([page.items.length, looked]).toEqual([0, mostLooked])
    expect(page.next).toBeDefined()
    const { pages } = whole((paged) => lists.clients({ by: "clientId", prefix: "", wanted, ...paged }), 1000)
    expect(pages).toBe(clients / mostLooked)
    expect(looked).toBe(clients + mostLooked)
  })

  it("the topic tree counts what is below", () => {
    const { items } = whole((paged) => lists.topics({ parent: "building", ...paged }), 300)
    expect(items).toHaveLength(1000)
    expect(items.every(({ below, retained }) => below === 100 && !retained)).toBe(true)
  })

  it("who comes and goes costs little", () => {
    const session = {
      clientId: "device-50000x",
      owner: { user: "u", source: "password", account: "" },
    } as unknown as Session
    const connection = { peer: { transport: "tcp", address: "x" } } as unknown as Connection
    const packet = { protocolVersion: 5 } as unknown as ConnectPacket
    const each = cost(2000, () => {
      roster.came(session, connection, packet, { user: "u", source: "password" })
      roster.left(session)
    })
    expect(each).toBeLessThan(1)
  })
})
