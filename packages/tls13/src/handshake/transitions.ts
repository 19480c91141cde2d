// The state machines of RFC 9846 appendix A, as tables: in which state which message leads where. Whoever awaits a message
// names its state and what it accepts from here, and every step of every connection is checked against it. The diagrams in
// docs/state-machine.md are made of it.

import { HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"

export type Role = "client" | "server"

/** The names of appendix A. */
export type StateName =
  | "START"
  | "WAIT_SH"
  | "WAIT_EE"
  | "WAIT_CERT_CR"
  | "WAIT_CERT"
  | "WAIT_CV"
  | "WAIT_FINISHED"
  | "WAIT_EOED"
  | "CONNECTED"

export interface TransitionRow {
  readonly from: StateName
  /** What the peer sends; undefined: nothing, the client begins. */
  readonly message?: HandshakeTypeName
  readonly to: StateName
  /** When there is more than one way. */
  readonly when?: string
}

/** Appendix A.1. */
export const clientTransitions = [
  { from: "START", to: "WAIT_SH" },
  { from: "WAIT_SH", message: "server_hello", to: "WAIT_SH" },
  { from: "WAIT_SH", message: "server_hello", to: "WAIT_EE" },
  { from: "WAIT_EE", message: "encrypted_extensions", to: "WAIT_FINISHED" },
  { from: "WAIT_EE", message: "encrypted_extensions", to: "WAIT_CERT_CR" },
  { from: "WAIT_CERT_CR", message: "certificate_request", to: "WAIT_CERT" },
  { from: "WAIT_CERT_CR", message: "certificate", to: "WAIT_CV" },
  { from: "WAIT_CERT_CR", message: "compressed_certificate", to: "WAIT_CV" },
  { from: "WAIT_CERT", message: "certificate", to: "WAIT_CV" },
  { from: "WAIT_CERT", message: "compressed_certificate", to: "WAIT_CV" },
  { from: "WAIT_CV", message: "certificate_verify", to: "WAIT_FINISHED" },
  { from: "WAIT_FINISHED", message: "finished", to: "CONNECTED" },
  { from: "CONNECTED", message: "new_session_ticket", to: "CONNECTED" },
  { from: "CONNECTED", message: "key_update", to: "CONNECTED" },
  { from: "CONNECTED", message: "certificate_request", to: "CONNECTED" },
] as const

/** Appendix A.2. */
export const serverTransitions = [
  { from: "START", message: "client_hello", to: "START" },
  { from: "START", message: "client_hello", to: "WAIT_EOED" },
  { from: "START", message: "client_hello", to: "WAIT_CERT" },
  { from: "START", message: "client_hello", to: "WAIT_FINISHED" },
  { from: "WAIT_EOED", message: "end_of_early_data", to: "WAIT_FINISHED" },
  { from: "WAIT_CERT", message: "certificate", to: "WAIT_FINISHED" },
  { from: "WAIT_CERT", message: "certificate", to: "WAIT_CV" },
  { from: "WAIT_CERT", message: "compressed_certificate", to: "WAIT_FINISHED" },
  { from: "WAIT_CERT", message: "compressed_certificate", to: "WAIT_CV" },
  { from: "WAIT_CV", message: "certificate_verify", to: "WAIT_FINISHED" },
  { from: "WAIT_FINISHED", message: "finished", to: "CONNECTED" },
  { from: "CONNECTED", message: "key_update", to: "CONNECTED" },
  { from: "CONNECTED", message: "certificate", to: "CONNECTED" },
  { from: "CONNECTED", message: "compressed_certificate", to: "CONNECTED" },
  { from: "CONNECTED", message: "certificate_verify", to: "CONNECTED" },
  { from: "CONNECTED", message: "finished", to: "CONNECTED" },
] as const

/** What makes it this way, where there is more than one: for readers. A device carries the tables without it. */
const clientConditions: Readonly<Record<string, string>> = {
  "START WAIT_SH": "ClientHello is sent",
  "WAIT_SH server_hello WAIT_SH": "it is a HelloRetryRequest",
  "WAIT_EE encrypted_extensions WAIT_FINISHED": "a PSK was selected",
  "CONNECTED certificate_request CONNECTED": "post_handshake_auth was offered",
}
const serverConditions: Readonly<Record<string, string>> = {
  "START client_hello START": "a HelloRetryRequest is sent",
  "START client_hello WAIT_EOED": "0-RTT data is taken",
  "START client_hello WAIT_CERT": "a certificate is asked for",
  "WAIT_CERT certificate WAIT_FINISHED": "it is empty",
  "WAIT_CERT compressed_certificate WAIT_FINISHED": "it is empty",
  "CONNECTED certificate CONNECTED": "it was asked for",
  "CONNECTED compressed_certificate CONNECTED": "it was asked for",
  "CONNECTED certificate_verify CONNECTED": "the certificate was not empty",
  "CONNECTED finished CONNECTED": "it ends the answer",
}

function withConditions(rows: readonly TransitionRow[], conditions: typeof clientConditions): readonly TransitionRow[] {
  return rows.map((row) => {
    const when = conditions[[row.from, row.message, row.to].filter((part) => part !== undefined).join(" ")]
    return when === undefined ? row : { ...row, when }
  })
}

export const transitions: Readonly<Record<Role, readonly TransitionRow[]>> = {
  client: /* @__PURE__ */ withConditions(clientTransitions, clientConditions),
  server: /* @__PURE__ */ withConditions(serverTransitions, serverConditions),
}

/** The messages that a state accepts: those that are awaited in it can be no others. */
export type AcceptedIn<R extends Role, S extends StateName> = Extract<
  (R extends "client" ? typeof clientTransitions : typeof serverTransitions)[number],
  { readonly from: S; readonly message: HandshakeTypeName }
>["message"]

/** @throws Error for a step that is none of the table's: a defect of ours, whatever the peer has sent */
export function checkTransition(
  role: Role,
  rows: readonly TransitionRow[],
  from: StateName,
  type: number | undefined,
  to: StateName,
): void {
  if (rows.some((row) => row.from === from && (row.message && HandshakeType[row.message]) === type && row.to === to))
    return
  throw new Error(`${role}: message ${type} does not lead from ${from} to ${to}`)
}
