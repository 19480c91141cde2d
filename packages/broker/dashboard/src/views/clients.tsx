// Who is connected.

import type { JSX } from "preact"
import type { ClientModel } from "../../../src/admin/http/model.ts"
import { count, withoutPort } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { broker, listeners } from "../live/broker.ts"
import { address } from "../page/address.ts"
import { clientColumn, inflightColumn, queueColumn, userColumn } from "../parts/columns.tsx"
import { type Column, List } from "../parts/list.tsx"
import { usePages } from "../parts/pages.ts"
import { type Choice, chosen, SearchedList } from "../parts/search.tsx"
import { Sent, When } from "../parts/text.tsx"

const columns: readonly Column<ClientModel>[] = [
  clientColumn("Client"),
  userColumn,
  { name: "Address", room: "middle", cell: ({ address: from }) => <Sent text={withoutPort(from)} most={48} /> },
  { name: "Listener", room: "wide", cell: ({ listener, transport }) => shown(listener ?? transport, 32) },
  { name: "MQTT", room: "wide", cell: ({ mqtt }) => mqtt },
  { name: "TLS", room: "middle", cell: (client) => <TlsTag client={client} /> },
  { name: "Connected", kind: "time", cell: ({ since }) => <When at={since} /> },
  inflightColumn,
  { ...queueColumn, room: "middle" },
]

function TlsTag({ client: { tls } }: { readonly client: ClientModel }): JSX.Element {
  if (tls === undefined) return <span class="quiet">none</span>
  if (tls.postQuantum) return <span class="tag is-good">post-quantum</span>
  return <span class="tag">{tls.group === undefined ? "resumed" : shown(tls.group, 24)}</span>
}

const searchBy: Choice = {
  name: "by",
  label: "Search by",
  choices: [
    ["clientId", "Client ID"],
    ["user", "User"],
    ["address", "Address"],
  ],
}
const keyExchange: Choice = {
  name: "pq",
  label: "Key exchange",
  choices: [
    ["", "any"],
    ["with", "post-quantum"],
    ["without", "not post-quantum"],
  ],
}

export function Clients(): JSX.Element {
  const { search = "", listener = "" } = address.value.given
  const pq = chosen(keyExchange)
  const pages = usePages<ClientModel>("/clients", {
    ...(search !== "" && { [chosen(searchBy)]: search }),
    ...(listener !== "" && { listener }),
    ...(pq !== "" && { postQuantum: pq === "with" }),
  })
  const through: Choice = {
    name: "listener",
    label: "Listener",
    choices: [["", "all"], ...(listeners.value?.map(({ name }) => [name, shown(name, 40)] as const) ?? [])],
  }
  return (
    <SearchedList
      title="Clients"
      total={broker.value && `${count(broker.value.clients)} connected`}
      label="Begins with"
      choices={[searchBy, through, keyExchange]}
    >
      <List
        label="Connected clients"
        pages={pages}
        columns={columns}
        keyOf={({ clientId }) => clientId}
        nothing={search === "" ? "No client is connected." : "No connected client is like this."}
      />
    </SearchedList>
  )
}
