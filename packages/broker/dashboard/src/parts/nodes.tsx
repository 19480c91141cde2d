// The nodes of the cluster, where there is more than this one.

import { Fragment, type JSX } from "preact"
import type { NodeModel } from "../../../src/admin/http/model.ts"
import { count, short } from "../../../src/admin/words/format.ts"
import { nodesText, stateWords } from "../../../src/admin/words/nodes.ts"
import { nodes } from "../live/broker.ts"
import { type Column, Table } from "./list.tsx"
import { Sent, When } from "./text.tsx"

/** Of one that is not heard they are its last; one that is gone has none. */
function figure({ state }: NodeModel, text: string): JSX.Element | string {
  if (state === "this" || state === "there") return text
  return <span class="quiet">{state === "unknown" ? text : "–"}</span>
}

const tones: Readonly<Record<NodeModel["state"], string>> = {
  this: " is-good",
  there: " is-good",
  unknown: " is-look",
  gone: " is-look",
  // As somebody wanted it.
  ended: "",
}

/** Lines of a machine's name end behind a dot. */
function NodeName({ name }: Pick<NodeModel, "name">): JSX.Element {
  const parts = name.split(/(?<=\.)(?=.)/)
  return (
    <>
      {parts.map((part, at) => (
        <Fragment key={at}>
          <Sent text={part} most={64} />
          {at < parts.length - 1 && <wbr />}
        </Fragment>
      ))}
    </>
  )
}

const columns: readonly Column<NodeModel>[] = [
  { name: "Node", cell: ({ name }) => <NodeName name={name} /> },
  {
    name: "Is",
    cell: ({ state, heardAt }) => (
      <>
        <span class={`tag${tones[state]}`}>{stateWords[state]}</span>{" "}
        {state !== "this" && state !== "there" && <When at={heardAt} />}
      </>
    ),
  },
  { name: "Clients", kind: "number", cell: (node) => figure(node, count(node.clients)) },
  { name: "Sessions", kind: "number", room: "middle", cell: (node) => figure(node, count(node.sessions)) },
  { name: "In /s", kind: "number", room: "middle", cell: (node) => figure(node, short(node.receivedPerSecond)) },
  { name: "Out /s", kind: "number", room: "middle", cell: (node) => figure(node, short(node.sentPerSecond)) },
  { name: "Started", kind: "time", room: "middle", cell: ({ startedAt }) => <When at={startedAt} /> },
  { name: "Version", room: "wide", cell: ({ version }) => <Sent text={version} most={30} /> },
]

export function Nodes(): JSX.Element | null {
  const all = nodes.value
  if (all === undefined || all.length < 2) return null
  return (
    <section class="card" aria-label="Cluster">
      <header>
        <h2>Cluster</h2>
        <span class="quiet">{nodesText(all)}; what each says of itself, every 3 seconds</span>
      </header>
      <Table
        label="Nodes of the cluster"
        items={all}
        columns={columns}
        keyOf={({ id }) => id}
        nothing="There are none."
      />
    </section>
  )
}
