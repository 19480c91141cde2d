// A state machine, drawn from the table that the stack itself goes by (appendix A); where the end has been, and where it is.

import { type Role, type StateName, transitions } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { type Diagram, diagramOf, type Edge } from "../reading/diagram.ts"
import type { Taken } from "../reading/ends.ts"

const diagrams: Readonly<Record<Role, Diagram>> = {
  client: diagramOf(transitions.client),
  server: diagramOf(transitions.server),
}

/* In units of the drawing. */
const nodeWidth = 124
const nodeHeight = 26
const pitch = 45
const left = 24
const right = left + nodeWidth
const middle = left + 40
const lanesAt = right + 86
const laneWidth = 13

export function StateDiagram({
  role,
  state,
  taken,
  isAnswering,
}: {
  readonly role: Role
  readonly state: StateName
  readonly taken: readonly Taken[]
  /** It takes no message before it is done with the last one. */
  readonly isAnswering: boolean
}): JSX.Element {
  const { states, edges, loops, lanes } = diagrams[role]
  const width = lanesAt + (lanes - 1) * laneWidth + 4
  const height = (states.length - 1) * pitch + nodeHeight + 4
  const top = (name: StateName) => 2 + states.indexOf(name) * pitch
  const wasTaken = (from: StateName, to: StateName) => taken.some((step) => step.from === from && step.to === to)
  const classOf = (from: StateName, to: StateName) =>
    wasTaken(from, to) ? "edge is-taken" : from === state && !isAnswering ? "edge is-next" : "edge"
  const visited = new Set(taken.flatMap(({ from, to }) => [from, to]))
  const label = `State machine of the ${role}: now in ${state}${isAnswering ? ", answering" : ""}`
  return (
    <svg class="diagram" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {edges.map((edge) => (
        <g key={`${edge.from} ${edge.to}`} class={classOf(edge.from, edge.to)}>
          <title>{`${edge.from} to ${edge.to}: ${edge.labels.join(", ")}`}</title>
          <EdgePath edge={edge} edges={edges} top={top} />
          {edge.lane === undefined && (
            <text x={middle + 10} y={top(edge.from) + nodeHeight + 13}>
              {edge.labels[0]}
              {edge.labels.length > 1 ? " …" : ""}
            </text>
          )}
        </g>
      ))}
      {[...loops].map(([name, labels]) => {
        const y = top(name) + nodeHeight / 2
        return (
          <g key={name} class={classOf(name, name)}>
            <title>{`stays in ${name}: ${labels.join(", ")}`}</title>
            <path d={`M${left} ${y - 6}C${left - 24} ${y - 16} ${left - 24} ${y + 16} ${left - 3} ${y + 6}`} />
            <Head x={left} y={y + 5} turn={-20} />
          </g>
        )
      })}
      {states.map((name) => (
        <g key={name} class={name === state ? "node is-now" : visited.has(name) ? "node is-past" : "node"}>
          <rect x={left} y={top(name)} width={nodeWidth} height={nodeHeight} rx="6" />
          <text x={left + nodeWidth / 2} y={top(name) + 17.5} text-anchor="middle">
            {name}
          </text>
        </g>
      ))}
    </svg>
  )
}

interface EdgeProps {
  readonly edge: Edge
  readonly edges: readonly Edge[]
  readonly top: (state: StateName) => number
}

function EdgePath({ edge, edges, top }: EdgeProps): JSX.Element {
  const { from, to, lane } = edge
  if (lane === undefined) {
    return (
      <>
        <path d={`M${middle} ${top(from) + nodeHeight}V${top(to) - 5}`} />
        <Head x={middle} y={top(to)} turn={90} />
      </>
    )
  }
  const x = lanesAt + lane * laneWidth
  const bend = 8
  const start = portOf(from, edge, edges, top)
  const end = portOf(to, edge, edges, top)
  const down = `H${x - bend}Q${x} ${start} ${x} ${start + bend}V${end - bend}Q${x} ${end} ${x - bend} ${end}`
  return (
    <>
      <path d={`M${right} ${start}${down}H${right + 5}`} />
      <Head x={right} y={end} turn={180} />
    </>
  )
}

/** The head of an arrow whose point is at x, y; turned clockwise from pointing right, in degrees. */
function Head({ x, y, turn }: { readonly x: number; readonly y: number; readonly turn: number }): JSX.Element {
  return <path class="head" d="M-6 -3.4 0 0 -6 3.4z" transform={`translate(${x} ${y}) rotate(${turn})`} />
}

/** Where a line meets the right side of a state: each has its own place, so that none crosses another there. */
function portOf(state: StateName, edge: Edge, edges: readonly Edge[], top: EdgeProps["top"]): number {
  const side = ({ from, lane = 0 }: Edge) => (from === state ? 1_000 - lane : lane)
  const here = edges
    .filter(({ lane, from, to }) => lane !== undefined && (from === state || to === state))
    .sort((a, b) => side(a) - side(b))
  return top(state) + (nodeHeight * (here.indexOf(edge) + 1)) / (here.length + 1)
}
