// ticket_request: RFC 9149 section 3.

import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** How many tickets the client would like after a full handshake, and after a resumed one: each 0 to 255. */
export interface TicketRequest {
  readonly newSessionCount: number
  readonly resumptionCount: number
}

const asked: ExtensionCodec<TicketRequest> = {
  decode: (data) => ({ newSessionCount: data.uint8(), resumptionCount: data.uint8() }),
  encode: (request, data) => data.uint8(request.newSessionCount).uint8(request.resumptionCount),
}

/** EncryptedExtensions: how many tickets the server means to send. */
const answer: ExtensionCodec<number> = {
  decode: (data) => data.uint8(),
  encode: (count, data) => data.uint8(count),
}

export const ticketRequest: ExtensionRow<{ CH: TicketRequest; EE: number }> = {
  type: 58,
  CH: asked,
  EE: answer,
}
