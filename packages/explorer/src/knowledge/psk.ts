// Which pre-shared key a connection uses, found again from what its ClientHello names: a ticket of an earlier connection, or a key
// that both ends were given.

import type { ExternalPsk } from "@puremq/tls13"
import { equalBytes } from "@puremq/tls13/explore"
import { externalPsk, guessedPsk } from "../run/psks.ts"
import type { End, Timeline } from "../run/step.ts"
import { clientHelloOf, type Flow, flowOf, serverHelloOf, ticketOf } from "./flow.ts"

export interface OfferedPsk {
  readonly identity: Uint8Array
  /** Undefined: the server has not answered; false: it has, and takes no PSK, or another. */
  readonly chosen: boolean | undefined
  /** Where it comes from; undefined: nobody here knows. */
  readonly origin: TicketOrigin | ExternalOrigin | undefined
}

/** A ticket that an earlier connection gave: the key is derived from that connection's resumption_secret and the nonce. */
export interface TicketOrigin {
  readonly kind: "resumption"
  readonly connection: number
  readonly nonce: Uint8Array
}

export interface ExternalOrigin {
  readonly kind: ExternalPsk["kind"]
  /** All that are known under this name: an end may have a wrong one. */
  readonly keys: readonly Uint8Array[]
}

/** Keys of the scenarios; the wrong one is that of a break. */
const externals = [externalPsk, guessedPsk]

/** The PSK that is offered first, or the one that the server chose; undefined: none is offered. */
export function offeredPsk(timeline: Timeline, { connection, messages }: Flow): OfferedPsk | undefined {
  const hello = messages.findLast(({ name }) => name === "client_hello")
  const identities = hello && clientHelloOf(hello.message)?.extensions.pre_shared_key?.identities
  if (identities === undefined) return undefined
  const answer = messages.find(({ name }) => name === "server_hello")
  const serverHello = answer && serverHelloOf(answer.message)
  const selected = serverHello?.kind === "server_hello" ? serverHello.extensions.pre_shared_key : undefined
  const identity = identities[selected ?? 0]?.identity
  if (identity === undefined) return undefined
  const chosen = serverHello === undefined ? undefined : selected !== undefined
  return { identity, chosen, origin: originOf(timeline, connection, identity) }
}

function originOf(timeline: Timeline, connection: number, identity: Uint8Array): OfferedPsk["origin"] {
  for (let earlier = connection - 1; earlier >= 0; earlier--) {
    for (const { nonce, ticket } of ticketsOf(flowOf(timeline, earlier, "server"))) {
      if (equalBytes(ticket, identity)) return { kind: "resumption", connection: earlier, nonce }
    }
  }
  const named = externals.filter((psk) => equalBytes(psk.identity, identity))
  return named[0] && { kind: named[0].kind, keys: named.map(({ key }) => key) }
}

export interface Ticket {
  readonly step: number
  readonly nonce: Uint8Array
  readonly ticket: Uint8Array
}

export function ticketsOf({ messages }: Flow): readonly Ticket[] {
  return messages.flatMap(({ name, message, step }) => {
    const ticket = name === "new_session_ticket" ? ticketOf(message) : undefined
    return ticket ? [{ step, nonce: ticket.ticketNonce, ticket: ticket.ticket }] : []
  })
}

/** The ends of the connection that a ticket came from which have its resumption_secret. */
export const anyEnd: readonly End[] = ["client", "server"]
