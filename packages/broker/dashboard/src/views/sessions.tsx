// What is kept for clients, connected or not.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { SessionModel } from "../../../src/admin/http/model.ts"
import { bytes, count } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { broker, scope } from "../live/broker.ts"
import { address, amend, hrefOf } from "../page/address.ts"
import { type Column, List } from "../parts/list.tsx"
import { usePages } from "../parts/pages.ts"
import { Sent, When } from "../parts/text.tsx"
import { EndSession } from "./client.tsx"

const columns: readonly Column<SessionModel>[] = [
  {
    name: "Session",
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
  { name: "In flight", kind: "number", room: "wide", cell: ({ inflight }) => count(inflight) },
  {
    name: "Queue",
    kind: "number",
    cell: ({ queuedMessages, queuedBytes }) =>
      queuedMessages === 0 ? <span class="quiet">0</span> : `${count(queuedMessages)} · ${bytes(queuedBytes)}`,
  },
]

export function Sessions(): JSX.Element {
  const { search = "", by = "clientId", state = "" } = address.value.given
  const [ends, setEnds] = useState<string | undefined>(undefined)
  const pages = usePages<SessionModel>("/sessions", {
    ...(search !== "" && { [by === "user" ? "user" : "clientId"]: search }),
    ...(state !== "" && { connected: state === "connected" }),
  })
  const all: readonly Column<SessionModel>[] = [
    ...columns,
    ...(scope.value === "operate"
      ? [
          {
            name: "Operate",
            room: "middle" as const,
            cell: ({ clientId }: SessionModel) => (
              <button
                type="button"
                class="small"
                aria-label={`End session ${shown(clientId, 60)}`}
                onClick={() => setEnds(clientId)}
              >
                End
              </button>
            ),
          },
        ]
      : []),
  ]
  return (
    <div class="stack">
      <div class="title">
        <h1>Sessions</h1>
        <span class="quiet number">{broker.value === undefined ? "" : `${count(broker.value.sessions)} in all`}</span>
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
            <select
              value={by === "user" ? "user" : "clientId"}
              onChange={(event) => amend({ by: event.currentTarget.value })}
            >
              <option value="clientId">Client ID</option>
              <option value="user">User</option>
            </select>
          </label>
          <label class="field">
            <span>Client is</span>
            <select value={state} onChange={(event) => amend({ state: event.currentTarget.value })}>
              <option value="">connected or away</option>
              <option value="connected">connected</option>
              <option value="away">away</option>
            </select>
          </label>
        </form>
      </search>
      <List
        label="Sessions"
        pages={pages}
        columns={all}
        keyOf={({ clientId }) => clientId}
        nothing={search === "" ? "There are no sessions." : "No session is like this."}
      />
      {ends !== undefined && <EndSession id={ends} onClose={() => setEnds(undefined)} onDone={pages.again} />}
    </div>
  )
}
