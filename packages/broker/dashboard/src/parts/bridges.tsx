// Bridges to other brokers, where there are any: which are connected, what went over them, and what did not.

import type { JSX } from "preact"
import type { BridgeModel } from "../../../src/admin/http/model.ts"
import { droppedText, sum } from "../../../src/admin/words/bridges.ts"
import { count } from "../../../src/admin/words/format.ts"
import { bridges } from "../live/broker.ts"
import { type Column, Table } from "./list.tsx"
import { Sent, When } from "./text.tsx"

const columns: readonly Column<BridgeModel>[] = [
  { name: "Bridge", cell: ({ name }) => <Sent text={name} most={64} /> },
  { name: "To", room: "middle", cell: ({ address }) => <Sent text={address} most={60} /> },
  {
    name: "Is",
    cell: ({ connected, since, lastFailure }) => (
      <>
        <span class={`tag is-${connected ? "good" : "look"}`}>{connected ? "connected" : "away"}</span>{" "}
        {connected ? since !== undefined && <When at={since} /> : <Sent text={lastFailure?.reason ?? ""} most={120} />}
      </>
    ),
  },
  { name: "Out", kind: "number", cell: ({ handedOn }) => count(handedOn.out) },
  { name: "In", kind: "number", cell: ({ handedOn }) => count(handedOn.in) },
  { name: "Waiting", kind: "number", cell: ({ waiting }) => count(waiting) },
  {
    name: "Dropped",
    kind: "number",
    cell: ({ dropped }) => <span title={droppedText(dropped)}>{count(sum(dropped.out) + sum(dropped.in))}</span>,
  },
]

export function Bridges(): JSX.Element | null {
  const all = bridges.value
  if (all === undefined || all.length === 0) return null
  return (
    <section class="card" aria-label="Bridges">
      <header>
        <h2>Bridges</h2>
        <span class="quiet">messages that the other broker has taken, since this one was started</span>
      </header>
      <Table
        label="Bridges to other brokers"
        items={all}
        columns={columns}
        keyOf={({ name }) => name}
        nothing="There are none."
      />
    </section>
  )
}
