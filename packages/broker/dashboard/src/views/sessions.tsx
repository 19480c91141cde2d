// What is kept for clients, connected or not.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { SessionModel } from "../../../src/admin/http/model.ts"
import { count } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { broker, scope } from "../live/broker.ts"
import { address } from "../page/address.ts"
import { clientColumn, inflightColumn, queueColumn, userColumn } from "../parts/columns.tsx"
import { type Column, List } from "../parts/list.tsx"
import { usePages } from "../parts/pages.ts"
import { type Choice, chosen, SearchedList } from "../parts/search.tsx"
import { When } from "../parts/text.tsx"
import { EndSession } from "./client.tsx"

const columns: readonly Column<SessionModel>[] = [
  clientColumn("Session"),
  userColumn,
  {
    name: "Client",
    cell: ({ connected }) => (connected ? <span class="tag is-good">connected</span> : <span class="tag">away</span>),
  },
  {
    name: "Ends",
    kind: "time",
    room: "middle",
    cell: ({ connected, kept, endsAt }) => {
      if (endsAt !== undefined) return <When at={endsAt} />
      return <span class="quiet">{connected && !kept ? "with its connection" : connected ? "not yet" : "never"}</span>
    },
  },
  { name: "Subscriptions", kind: "number", room: "wide", cell: ({ subscriptions }) => count(subscriptions) },
  inflightColumn,
  queueColumn,
]

const endColumn = (end: (clientId: string) => void): Column<SessionModel> => ({
  name: "Operate",
  room: "middle",
  cell: ({ clientId }) => (
    <button type="button" class="small" aria-label={`End session ${shown(clientId, 60)}`} onClick={() => end(clientId)}>
      End
    </button>
  ),
})

const searchBy: Choice = {
  name: "by",
  label: "Search by",
  choices: [
    ["clientId", "Client ID"],
    ["user", "User"],
  ],
}
const clientIs: Choice = {
  name: "state",
  label: "Client is",
  choices: [
    ["", "connected or away"],
    ["connected", "connected"],
    ["away", "away"],
  ],
}

export function Sessions(): JSX.Element {
  const { search = "" } = address.value.given
  const state = chosen(clientIs)
  const [ends, setEnds] = useState<string | undefined>(undefined)
  const pages = usePages<SessionModel>("/sessions", {
    ...(search !== "" && { [chosen(searchBy)]: search }),
    ...(state !== "" && { connected: state === "connected" }),
  })
  return (
    <SearchedList
      title="Sessions"
      total={broker.value && `${count(broker.value.sessions)} in all`}
      label="Begins with"
      choices={[searchBy, clientIs]}
    >
      <List
        label="Sessions"
        pages={pages}
        columns={scope.value === "operate" ? [...columns, endColumn(setEnds)] : columns}
        keyOf={({ clientId }) => clientId}
        nothing={search === "" ? "There are no sessions." : "No session is like this."}
      />
      {ends !== undefined && <EndSession id={ends} onClose={() => setEnds(undefined)} onDone={pages.again} />}
    </SearchedList>
  )
}
