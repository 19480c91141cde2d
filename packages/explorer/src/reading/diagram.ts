// Lays out a state machine from its table: the states below each other in the order in which they can come, a step to the next one as
// a straight arrow, and one that leaves some out as a line in a lane beside them.

import type { StateName, TransitionRow } from "@puremq/tls13/explore"

export interface Edge {
  readonly from: StateName
  readonly to: StateName
  /** What leads along it, each once; when nothing is received, what happens. */
  readonly labels: readonly string[]
  /** undefined: straight to the next state. */
  readonly lane: number | undefined
}

export interface Diagram {
  readonly states: readonly StateName[]
  /** Between two states. */
  readonly edges: readonly Edge[]
  /** Messages with which a state stays as it is. */
  readonly loops: ReadonlyMap<StateName, readonly string[]>
  readonly lanes: number
}

export function diagramOf(rows: readonly TransitionRow[]): Diagram {
  const states = orderOf(rows)
  const place = (state: StateName) => states.indexOf(state)
  const loops = new Map<StateName, string[]>()
  const between = new Map<string, { from: StateName; to: StateName; labels: string[] }>()
  for (const { from, to, message, when } of rows) {
    const label = message ?? when ?? ""
    if (from === to) {
      loops.set(from, unique([...(loops.get(from) ?? []), label]))
      continue
    }
    const known = between.get(`${from} ${to}`)
    if (known) known.labels = unique([...known.labels, label])
    else between.set(`${from} ${to}`, { from, to, labels: [label] })
  }
  // Short ones get the inner lanes.
  const all = [...between.values()].sort((a, b) => place(a.to) - place(a.from) - (place(b.to) - place(b.from)))
  const taken: { readonly from: number; readonly to: number }[][] = []
  const edges = all.map((edge): Edge => {
    const from = place(edge.from)
    const to = place(edge.to)
    if (to === from + 1) return { ...edge, lane: undefined }
    let lane = taken.findIndex((used) => used.every((other) => to <= other.from || other.to <= from))
    if (lane < 0) lane = taken.push([]) - 1
    taken[lane]!.push({ from, to })
    return { ...edge, lane }
  })
  return { states, edges, loops, lanes: taken.length }
}

/** By the longest way from the start; the table's own order where that is equal. */
function orderOf(rows: readonly TransitionRow[]): readonly StateName[] {
  const states = unique(rows.flatMap(({ from, to }) => [from, to]))
  const depth = new Map<StateName, number>(states.map((state) => [state, 0]))
  for (let round = 0; round < states.length; round++) {
    for (const { from, to } of rows) {
      if (from !== to) depth.set(to, Math.max(depth.get(to)!, depth.get(from)! + 1))
    }
  }
  return states
    .map((state, order) => ({ state, order }))
    .sort((a, b) => depth.get(a.state)! - depth.get(b.state)! || a.order - b.order)
    .map(({ state }) => state)
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
