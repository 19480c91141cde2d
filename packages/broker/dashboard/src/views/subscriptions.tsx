// Who listens to what.

import type { JSX } from "preact"
import type { SubscriptionModel } from "../../../src/admin/http/model.ts"
import { count } from "../../../src/admin/words/format.ts"
import { broker } from "../live/broker.ts"
import { address, amend, hrefOf } from "../page/address.ts"
import { type Column, List } from "../parts/list.tsx"
import { usePages } from "../parts/pages.ts"
import { Sent } from "../parts/text.tsx"

export const subscriptionColumns: readonly Column<SubscriptionModel>[] = [
  { name: "Filter", cell: ({ filter }) => <Sent text={filter} most={96} mono /> },
  {
    name: "Client",
    cell: ({ clientId }) => (
      <a href={hrefOf("client", { id: clientId })}>
        <Sent text={clientId} most={48} />
      </a>
    ),
  },
  { name: "QoS", kind: "number", cell: ({ qos }) => qos },
  {
    name: "Shared by",
    room: "middle",
    cell: ({ shareName }) => (shareName === undefined ? "" : <Sent text={shareName} most={40} />),
  },
  {
    name: "Options",
    room: "wide",
    cell: ({ noLocal, retainAsPublished, identifier }) =>
      [
        ...(noLocal ? ["no local"] : []),
        ...(retainAsPublished ? ["retain as published"] : []),
        ...(identifier === undefined ? [] : [`identifier ${identifier}`]),
      ].join(", "),
  },
]

export function Subscriptions(): JSX.Element {
  const { search = "", by = "filter" } = address.value.given
  const isByClient = by === "clientId"
  const pages = usePages<SubscriptionModel>("/subscriptions", {
    ...(search !== "" && (isByClient ? { clientId: search } : { filter: search })),
  })
  return (
    <div class="stack">
      <div class="title">
        <h1>Subscriptions</h1>
        <span class="quiet number">
          {broker.value === undefined ? "" : `${count(broker.value.subscriptions)} in all`}
        </span>
      </div>
      <search>
        <form class="bar" onSubmit={(event) => event.preventDefault()}>
          <label class="field grow">
            <span>{isByClient ? "Client ID, in whole" : "Filter begins with"}</span>
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
            <select
              value={isByClient ? "clientId" : "filter"}
              onChange={(event) => amend({ by: event.currentTarget.value })}
            >
              <option value="filter">Filter</option>
              <option value="clientId">Client ID</option>
            </select>
          </label>
        </form>
      </search>
      <List
        label="Subscriptions"
        pages={pages}
        columns={subscriptionColumns}
        keyOf={({ clientId, filter, shareName = "" }) => `${clientId} ${shareName} ${filter}`}
        nothing={search === "" ? "Nobody has subscribed to anything." : "No subscription is like this."}
      />
    </div>
  )
}
