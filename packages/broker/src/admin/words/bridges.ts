// What is to be said of bridges.

import type { BridgeModel } from "../http/model.ts"
import { count, several } from "./format.ts"
import type { Reason } from "./reason.ts"
import { shown } from "./sent.ts"

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0)
}

/** "out: 3 not authorized". */
export function droppedText(dropped: BridgeModel["dropped"]): string {
  return (["out", "in"] as const)
    .flatMap((direction) =>
      Object.entries(dropped[direction]).map(([reason, many]) => `${direction}: ${count(many)} ${reason}`),
    )
    .join(", ")
}

/** Those that are away. */
export function bridgeReasons(bridges: readonly BridgeModel[] | undefined): Reason[] {
  return (bridges ?? [])
    .filter(({ connected, failures }) => !connected && failures > 0)
    .map(({ name, lastFailure, waiting }) => {
      const why = lastFailure === undefined ? "" : `: ${shown(lastFailure.reason, 200)}`
      const waits = waiting === 0 ? "" : ` (${several(waiting, "message")} waiting)`
      return { tone: "look", text: `The bridge ${shown(name)} is not connected${why}${waits}.`, href: undefined }
    })
}
