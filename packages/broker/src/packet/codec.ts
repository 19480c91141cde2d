// Packets that are read and written as a whole: all but PUBLISH and the acknowledgements, which have code of their own. What
// implements it stands outside of the core and is passed in; all that do are held to one contract (tests/codecs).

import { textLength } from "./bytes.ts"
import type { ClientPacket, ConnectPacket, ProtocolVersion, ServerPacket } from "./packets.ts"

export interface Codec {
  /**
   * Reads the CONNECT at [start, end) of `bytes`, fixed header included; its body begins at `bodyStart`. Throws PacketError for
   * what the standard does not allow.
   */
  readConnect(bytes: Uint8Array, start: number, bodyStart: number, end: number): ConnectPacket
  /**
   * Reads SUBSCRIBE, UNSUBSCRIBE, DISCONNECT and AUTH in the same way. With more than `maximumFilters` filters a packet is
   * refused before they are read.
   */
  readClientPacket(
    type: number,
    bytes: Uint8Array,
    start: number,
    bodyStart: number,
    end: number,
    version: ProtocolVersion,
    maximumFilters: number,
  ): Exclude<ClientPacket, ConnectPacket>
  /**
   * Writes a packet of the broker. `maximumPacketSize` is the client's; a Reason String and Response Information that do not fit
   * are left out ([MQTT-3.2.2-19]), and so are a Reason String of more than 200 bytes and Response Information of more than
   * 65,535.
   */
  writeServerPacket(packet: ServerPacket, version: ProtocolVersion, maximumPacketSize?: number): Uint8Array
}

/** Longest Reason String that is sent, in UTF-8 bytes: a sentence for a person. A longer one is left out. */
export const longestReasonString = 200
/** Longest UTF-8 Encoded String (section 1.5.4), in bytes. */
export const longestText = 0xffff

/** The text, unless it has more UTF-8 bytes than that. */
export function upTo(bytes: number, text: string | undefined): string | undefined {
  return text === undefined || textLength(text) > bytes ? undefined : text
}
