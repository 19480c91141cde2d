// What is to be said of the nodes of a cluster.

import type { NodeModel } from "../http/model.ts"
import { several } from "./format.ts"
import type { Reason } from "./reason.ts"
import { shown } from "./sent.ts"

export const stateWords: Readonly<Record<NodeModel["state"], string>> = {
  this: "this one",
  there: "there",
  unknown: "not heard",
  gone: "gone",
}

/** "2 nodes, 12 clients": of those that are there. */
export function nodesText(nodes: readonly NodeModel[]): string {
  const there = nodes.filter(({ state }) => state === "this" || state === "there")
  const clients = there.reduce((sum, node) => sum + node.clients, 0)
  return `${several(there.length, "node")}, ${several(clients, "client")}`
}

/** Those that are gone, unless they were only started again. */
export function nodeReasons(nodes: readonly NodeModel[] = []): Reason[] {
  const there = new Set(nodes.filter(({ state }) => state !== "gone").map(({ name }) => name))
  const gone = new Map(
    nodes.filter(({ name, state }) => state === "gone" && !there.has(name)).map((one) => [one.name, one]),
  )
  return [...gone.values()].map(({ name, clients }) => {
    const had = clients === 0 ? "" : ` (it had ${several(clients, "client")})`
    return {
      tone: "look",
      text: `The node ${shown(name)} is gone${had}: the others see to its sessions.`,
      href: undefined,
    }
  })
}
