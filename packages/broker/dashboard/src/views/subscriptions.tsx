// Who listens to what.

import type { JSX } from "preact"
import type { SubscriptionModel } from "../../../src/admin/http/model.ts"
import { count } from "../../../src/admin/words/format.ts"
import { broker } from "../live/broker.ts"
import { address } from "../page/address.ts"
import { clientColumn } from "../parts/columns.tsx"
import { type Column, List } from "../parts/list.tsx"
import { usePages } from "../parts/pages.ts"
import { type Choice, chosen, SearchedList } from "../parts/search.tsx"
import { Sent } from "../parts/text.tsx"

export const subscriptionColumns: readonly Column<SubscriptionModel>[] = [
  { name: "Filter", cell: ({ filter }) => <Sent text={filter} most={96} mono /> },
  clientColumn("Client"),
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

const searchBy: Choice = {
  name: "by",
  label: "Search by",
  choices: [
    ["filter", "Filter"],
    ["clientId", "Client ID"],
  ],
}

export function Subscriptions(): JSX.Element {
  const { search = "" } = address.value.given
  const by = chosen(searchBy)
  const pages = usePages<SubscriptionModel>("/subscriptions", { ...(search !== "" && { [by]: search }) })
  return (
    <SearchedList
      title="Subscriptions"
      total={broker.value && `${count(broker.value.subscriptions)} in all`}
      label={by === "clientId" ? "Client ID, in whole" : "Filter begins with"}
      choices={[searchBy]}
    >
      <List
        label="Subscriptions"
        pages={pages}
        columns={subscriptionColumns}
        keyOf={({ clientId, filter, shareName = "" }) => `${clientId} ${shareName} ${filter}`}
        nothing={search === "" ? "Nobody has subscribed to anything." : "No subscription is like this."}
      />
    </SearchedList>
  )
}
