// What is broken in a round, and made whole again.

import type { Random } from "../../tls13/fuzz/random.ts"
import { pause } from "../crash/world.ts"
import type { NatsServer } from "./servers/nats-server.ts"
import type { Node } from "./servers/node.ts"

export interface Place {
  readonly nodes: readonly Node[]
  /** None: a broker alone. */
  readonly servers: readonly NatsServer[]
}

export const faultNames = ["killed", "stopped", "paused", "cut", "nats"] as const
export type FaultName = (typeof faultNames)[number]

/** A fault that is drawn; all of it follows from the seed. */
export interface Drawn {
  readonly name: FaultName
  /** In words: "broker B killed". */
  readonly what: string
  /** Nodes that it concerns. */
  readonly nodes: readonly string[]
  /** Milliseconds. */
  readonly duration: number
  breaks(): Promise<void>
  heals(): Promise<void>
}

/** One of the kinds that are wanted and possible here. */
export function drawn(place: Place, names: readonly FaultName[], random: Random): Drawn {
  const possible = names.filter((name) => place.servers.length > 0 || (name !== "cut" && name !== "nats"))
  return kinds[random.pick(possible)](place, random)
}

const kinds: Readonly<Record<FaultName, (place: Place, random: Random) => Drawn>> = {
  killed({ nodes, servers }, random) {
    const node = random.pick(nodes)
    const duration = 100 + random.integer(3000)
    // Now and then a server goes with it.
    const server = servers.length > 0 && random.oneIn(4) ? random.pick(servers) : undefined
    return {
      ...{ name: "killed", nodes: [node.name], duration },
      what: `broker ${node.name} killed${server === undefined ? "" : ` and ${server.name} with it`}`,
      breaks: async () => void (await Promise.all([node.kill(), server?.kill()])),
      heals: async () => {
        server?.start()
        await Promise.all([node.start(), server?.ready()])
      },
    }
  },
  stopped({ nodes }, random) {
    const node = random.pick(nodes)
    return {
      ...{ name: "stopped", nodes: [node.name], duration: random.integer(2000), what: `broker ${node.name} stopped` },
      breaks: () => node.stop(),
      heals: async () => void (await node.start()),
    }
  },
  paused({ nodes }, random) {
    const node = random.pick(nodes)
    return {
      ...{ name: "paused", nodes: [node.name], duration: 1000 + random.integer(6000) },
      what: `broker ${node.name} stands still`,
      breaks: async () => node.standStill(),
      heals: async () => node.goOn(),
    }
  },
  cut({ nodes }, random) {
    const node = random.pick(nodes)
    const how = random.pick(["closed", "held"] as const)
    return {
      ...{ name: "cut", nodes: [node.name], duration: 1000 + random.integer(9000) },
      what: `broker ${node.name} cut off (${how})`,
      breaks: async () => node.cut(how),
      heals: async () => node.heal(),
    }
  },
  nats({ servers }, random) {
    const server = random.pick(servers)
    const duration = 500 + random.integer(5000)
    if (random.oneIn(3))
      return {
        ...{ name: "nats", nodes: [], duration, what: `${server.name} stands still` },
        breaks: async () => server.standStill(),
        heals: async () => server.goOn(),
      }
    return {
      ...{ name: "nats", nodes: [], duration, what: `${server.name} killed` },
      breaks: () => server.kill(),
      heals: async () => {
        server.start()
        await server.ready()
      },
    }
  },
}

/** All servers are away for so long: what clients do meanwhile is the caller's. */
export async function withoutServers(servers: readonly NatsServer[], milliseconds: number): Promise<void> {
  await Promise.all(servers.map((server) => server.kill()))
  await pause(milliseconds)
  for (const server of servers) server.start()
  await Promise.all(servers.map((server) => server.ready()))
}
