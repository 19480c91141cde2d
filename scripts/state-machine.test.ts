// docs/state-machine.md is made from the table that the handshake is checked against: `npx vitest run scripts/state-machine.test.ts -u` writes it.

import { expect, it } from "vitest"
import { type Role, type TransitionRow, transitions } from "../packages/tls13/src/handshake/transitions.ts"

it("docs/state-machine.md says what the code says", async () => {
  await expect(`${page()}\n`).toMatchFileSnapshot("../docs/state-machine.md")
})

function page(): string {
  return [
    "# The state machines",
    "",
    "RFC 9846 appendix A, as this library has it. Both diagrams and both tables are made from [`handshake/transitions.ts`](../packages/tls13/src/handshake/transitions.ts), and every step of every connection is checked against that table: one that is not in it ends the connection as a defect. [The tests](../packages/tls13/tests/state-machine.test.ts) send every message in every state, and walk every row. `npm test` notes every step that any connection of any test takes, and fails unless these are the rows, to the last one and no other; `npm run fuzz` prints which it took.",
    "",
    "Where the messages are awaited and sent, in their order, is on one page for each role: [the client's](../packages/tls13/src/handshake/client/handshake.ts) and [the server's](../packages/tls13/src/handshake/server/handshake.ts).",
    "",
    ...section("client", "A.1"),
    ...section("server", "A.2"),
    "A message that is not in the row of the state gets `unexpected_message`, with an error that says what was allowed. RECVD_CH and NEGOTIATED of appendix A.2 are no states here: nothing is awaited in them. WAIT_FLIGHT2 is WAIT_CERT or WAIT_FINISHED, and 0-RTT data is read in WAIT_EOED.",
  ].join("\n")
}

function section(role: Role, appendix: string): string[] {
  const rows = transitions[role]
  return [
    `## The ${role} (appendix ${appendix})`,
    "",
    "```mermaid",
    "stateDiagram-v2",
    ...diagram(rows),
    "```",
    "",
    "| state | receives | goes to | when |",
    "|---|---|---|---|",
    ...rows.map(({ from, message, to, when }) => `| ${from} | ${message ?? ""} | ${to} | ${when ?? ""} |`),
    "",
  ]
}

/** One arrow for each pair of states, with all that leads that way. */
function diagram(rows: readonly TransitionRow[]): string[] {
  const arrows = new Map<string, Set<string>>()
  for (const { from, message, to, when } of rows) {
    const arrow = `${from} --> ${to}`
    const label = message ?? when ?? ""
    const detail = message !== undefined && when !== undefined && from !== "CONNECTED" ? `${label} (${when})` : label
    arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(detail))
  }
  return [
    "    [*] --> START",
    ...[...arrows].map(([arrow, labels]) => `    ${arrow}: ${[...labels].join("<br/>")}`),
    "    CONNECTED --> [*]: close_notify",
  ]
}
