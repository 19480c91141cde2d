// Columns that more than one list has.

import { bytes, count } from "../../../src/admin/words/format.ts"
import { hrefOf } from "../page/address.ts"
import type { Column } from "./list.tsx"
import { Sent } from "./text.tsx"

interface Named {
  readonly clientId: string
}

interface Owned {
  readonly user: string
}

interface Queued {
  readonly queuedMessages: number
  readonly queuedBytes: number
}

/** Leads to the client's page. */
export const clientColumn = (name: string): Column<Named> => ({
  name,
  cell: ({ clientId }) => (
    <a href={hrefOf("client", { id: clientId })}>
      <Sent text={clientId} most={48} />
    </a>
  ),
})

export const userColumn: Column<Owned> = {
  name: "User",
  room: "middle",
  cell: ({ user }) => (user === "" ? <span class="quiet">anonymous</span> : <Sent text={user} most={32} />),
}

export const inflightColumn: Column<{ readonly inflight: number }> = {
  name: "In flight",
  kind: "number",
  room: "wide",
  cell: ({ inflight }) => count(inflight),
}

export const queueColumn: Column<Queued> = {
  name: "Queue",
  kind: "number",
  cell: ({ queuedMessages, queuedBytes }) =>
    queuedMessages === 0 ? <span class="quiet">0</span> : `${count(queuedMessages)} · ${bytes(queuedBytes)}`,
}
