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
  { from: "START", to: "WAIT_SH", when: "ClientHello is sent" },
  { from: "WAIT_SH", message: "server_hello", to: "WAIT_SH", when: "it is a HelloRetryRequest" },
  { from: "WAIT_SH", message: "server_hello", to: "WAIT_EE" },
  { from: "WAIT_EE", message: "encrypted_extensions", to: "WAIT_FINISHED", when: "a PSK was selected" },
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
  { from: "CONNECTED", message: "certificate_request", to: "CONNECTED", when: "post_handshake_auth was offered" },
] as const

/** Appendix A.2. */
export const serverTransitions = [
  { from: "START", message: "client_hello", to: "START", when: "a HelloRetryRequest is sent" },
  { from: "START", message: "client_hello", to: "WAIT_EOED", when: "0-RTT data is taken" },
  { from: "START", message: "client_hello", to: "WAIT_CERT", when: "a certificate is asked for" },
  { from: "START", message: "client_hello", to: "WAIT_FINISHED" },
  { from: "WAIT_EOED", message: "end_of_early_data", to: "WAIT_FINISHED" },
  { from: "WAIT_CERT", message: "certificate", to: "WAIT_FINISHED", when: "it is empty" },
  { from: "WAIT_CERT", message: "certificate", to: "WAIT_CV" },
  { from: "WAIT_CERT", message: "compressed_certificate", to: "WAIT_FINISHED", when: "it is empty" },
  { from: "WAIT_CERT", message: "compressed_certificate", to: "WAIT_CV" },
  { from: "WAIT_CV", message: "certificate_verify", to: "WAIT_FINISHED" },
  { from: "WAIT_FINISHED", message: "finished", to: "CONNECTED" },
  { from: "CONNECTED", message: "key_update", to: "CONNECTED" },
  { from: "CONNECTED", message: "certificate", to: "CONNECTED", when: "it was asked for" },
  { from: "CONNECTED", message: "compressed_certificate", to: "CONNECTED", when: "it was asked for" },
  { from: "CONNECTED", message: "certificate_verify", to: "CONNECTED", when: "the certificate was not empty" },
  { from: "CONNECTED", message: "finished", to: "CONNECTED", when: "it ends the answer" },
] as const

export const transitions: Readonly<Record<Role, readonly TransitionRow[]>> = {
  client: clientTransitions,
  server: serverTransitions,
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
