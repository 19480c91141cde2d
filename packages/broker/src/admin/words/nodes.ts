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
  ended: "stopped",
}

/** "2 nodes, 12 clients": of those that are there. */
export function nodesText(nodes: readonly NodeModel[]): string {
  const there = nodes.filter(({ state }) => state === "this" || state === "there")
  const clients = there.reduce((sum, node) => sum + node.clients, 0)
  return `${several(there.length, "node")}, ${several(clients, "client")}`
}

/** Those that are gone, unless they were only started again. */
export function nodeReasons(nodes: readonly NodeModel[] = []): Reason[] {
  const last = new Map<string, NodeModel>()
  for (const node of nodes) {
    const other = last.get(node.name)
    if (other === undefined || Date.parse(node.heardAt) > Date.parse(other.heardAt)) last.set(node.name, node)
  }
  const gone = [...last.values()].filter(({ state }) => state === "gone")
  return gone.map(({ name, clients }) => {
    const had = clients === 0 ? "" : ` (it had ${several(clients, "client")})`
    return {
      tone: "look",
      text: `The node ${shown(name)} is gone${had}: the others see to its sessions.`,
      href: undefined,
    }
  })
}
