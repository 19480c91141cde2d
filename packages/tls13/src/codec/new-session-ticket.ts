// NewSessionTicket: RFC 9846 section 4.7.1.

import type { Writer } from "../bytes/writer.ts"
import { decodeExtensions, encodeExtensions, type RawExtension } from "./extensions/block.ts"
import type { ExtensionTable } from "./extensions/codec.ts"
import type { NewSessionTicketExtensions } from "./extensions/messages.ts"
import { allExtensions } from "./extensions/table.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export interface NewSessionTicket {
  /** Seconds, 0 to 604800 (7 days); 0: discard at once. */
  readonly ticketLifetime: number
  /** 0 to 2^32-1, fresh for each ticket. */
  readonly ticketAgeAdd: number
  /** 0 to 255 bytes, unique among the tickets of one connection. */
  readonly ticketNonce: Uint8Array
  /** 1 to 65535 bytes. */
  readonly ticket: Uint8Array
  readonly extensions: NewSessionTicketExtensions
  /** RFC 8701: written behind the others; not read. */
  readonly greaseExtensions?: readonly RawExtension[]
}

export function encodeNewSessionTicket(ticket: NewSessionTicket): Uint8Array {
  const body = (writer: Writer) => {
    writer.uint32(ticket.ticketLifetime).uint32(ticket.ticketAgeAdd).vector8(ticket.ticketNonce).vector16(ticket.ticket)
    encodeExtensions(ticket.extensions, "NST", writer, allExtensions, ...(ticket.greaseExtensions ?? []))
  }
  return encodeHandshake("new_session_ticket", body, 64 + ticket.ticket.length)
}

export function decodeNewSessionTicket(message: HandshakeMessage): NewSessionTicket {
  return decodeNewSessionTicketBy(allExtensions, message)
}

export function decodeNewSessionTicketBy(table: ExtensionTable, message: HandshakeMessage): NewSessionTicket {
  return decodeBody(message, "NewSessionTicket", (reader) => ({
    ticketLifetime: reader.uint32(),
    ticketAgeAdd: reader.uint32(),
    ticketNonce: reader.vector8("ticket_nonce"),
    ticket: reader.vector16("ticket", 1),
    extensions: decodeExtensions(reader.vector16("extensions"), "NST", "NewSessionTicket", table).values,
  }))
}
