// Who is connected.

import type { JSX } from "preact"
import type { ClientModel } from "../../../src/admin/http/model.ts"
import { bytes, count, withoutPort } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { broker, listeners } from "../live/broker.ts"
import { address, amend, hrefOf } from "../page/address.ts"
import { type Column, List } from "../parts/list.tsx"
import { usePages } from "../parts/pages.ts"
import { Sent, When } from "../parts/text.tsx"

const columns: readonly Column<ClientModel>[] = [
  {
    name: "Client",
    cell: ({ clientId }) => (
      <a href={hrefOf("client", { id: clientId })}>
        <Sent text={clientId} most={48} />
      </a>
    ),
  },
  {
    name: "User",
    room: "middle",
    cell: ({ user }) => (user === "" ? <span class="quiet">anonymous</span> : <Sent text={user} most={32} />),
  },
  { name: "Address", room: "middle", cell: ({ address: from }) => <Sent text={withoutPort(from)} most={48} /> },
  { name: "Listener", room: "wide", cell: ({ listener, transport }) => shown(listener ?? transport, 32) },
  { name: "MQTT", room: "wide", cell: ({ mqtt }) => mqtt },
  { name: "TLS", room: "middle", cell: (client) => <TlsTag client={client} /> },
  { name: "Connected", kind: "time", cell: ({ since }) => <When at={since} /> },
  { name: "In flight", kind: "number", room: "wide", cell: ({ inflight }) => count(inflight) },
  {
    name: "Queue",
    kind: "number",
    room: "middle",
    cell: ({ queuedMessages, queuedBytes }) =>
      queuedMessages === 0 ? <span class="quiet">0</span> : `${count(queuedMessages)} · ${bytes(queuedBytes)}`,
  },
]

function TlsTag({ client: { tls } }: { readonly client: ClientModel }): JSX.Element {
  if (tls === undefined) return <span class="quiet">none</span>
  if (tls.postQuantum) return <span class="tag is-good">post-quantum</span>
  return <span class="tag">{tls.group === undefined ? "resumed" : shown(tls.group, 24)}</span>
}

const searches = [
  ["clientId", "Client ID"],
  ["user", "User"],
  ["address", "Address"],
] as const

export function Clients(): JSX.Element {
  const { search = "", by = "clientId", listener = "", pq = "" } = address.value.given
  const known = searches.find(([name]) => name === by)?.[0] ?? "clientId"
  const pages = usePages<ClientModel>("/clients", {
    ...(search !== "" && { [known]: search }),
    ...(listener !== "" && { listener }),
    ...(pq !== "" && { postQuantum: pq === "with" }),
  })
  return (
    <div class="stack">
      <div class="title">
        <h1>Clients</h1>
        <span class="quiet number">{broker.value === undefined ? "" : `${count(broker.value.clients)} connected`}</span>
      </div>
      <search>
        <form class="bar" onSubmit={(event) => event.preventDefault()}>
          <label class="field grow">
            <span>Begins with</span>
            <input
              type="search"
              value={search}
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => amend({ search: event.currentTarget.value })}
            />
          </label>
          <label class="field">
            <span>Search by</span>
            <select value={known} onChange={(event) => amend({ by: event.currentTarget.value })}>
              {searches.map(([name, text]) => (
                <option key={name} value={name}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            <span>Listener</span>
            <select value={listener} onChange={(event) => amend({ listener: event.currentTarget.value })}>
              <option value="">all</option>
              {listeners.value?.map(({ name }) => (
                <option key={name} value={name}>
                  {shown(name, 40)}
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            <span>Key exchange</span>
            <select value={pq} onChange={(event) => amend({ pq: event.currentTarget.value })}>
              <option value="">any</option>
              <option value="with">post-quantum</option>
              <option value="without">not post-quantum</option>
            </select>
          </label>
        </form>
      </search>
      <List
        label="Connected clients"
        pages={pages}
        columns={columns}
        keyOf={({ clientId }) => clientId}
        nothing={search === "" ? "No client is connected." : "No connected client is like this."}
      />
    </div>
  )
}
