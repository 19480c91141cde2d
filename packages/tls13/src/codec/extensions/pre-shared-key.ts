// pre_shared_key: RFC 9846 section 4.3.11.

import { Reader } from "../../bytes/reader.ts"
import type { Writer } from "../../bytes/writer.ts"
import { type ExtensionCodec, type ExtensionRow, writtenOnly } from "./codec.ts"

export interface PskIdentity {
  /** A ticket, or the name of an external PSK: 1 to 65535 bytes. */
  readonly identity: Uint8Array
  /** Section 4.3.11.1; milliseconds plus ticket_age_add, modulo 2^32. */
  readonly obfuscatedTicketAge: number
}

export interface OfferedPsks {
  readonly identities: readonly PskIdentity[]
  /** One for each identity, 32 to 255 bytes. */
  readonly binders: readonly Uint8Array[]
}

/** Bytes that the binders take at the end of a ClientHello: what Truncate() of section 4.3.11.2 removes. */
export function bindersLength(psks: OfferedPsks): number {
  return psks.binders.reduce((sum, binder) => sum + 1 + binder.length, 2)
}

const offeredPsks: ExtensionCodec<OfferedPsks> = {
  decode(data) {
    const identityList = new Reader(data.vector16("identities", 7), "pre_shared_key.identities")
    const identities: PskIdentity[] = []
    while (identityList.remaining > 0) {
      identities.push({ identity: identityList.vector16("identity", 1), obfuscatedTicketAge: identityList.uint32() })
    }
    const binderList = new Reader(data.vector16("binders", 33), "pre_shared_key.binders")
    const binders: Uint8Array[] = []
    while (binderList.remaining > 0) binders.push(binderList.vector8("binder", 32))
    return { identities, binders }
  },
  encode: encodeOfferedPsks,
}

function encodeOfferedPsks(psks: OfferedPsks, data: Writer): void {
  data.vector16((list) => {
    for (const psk of psks.identities) list.vector16(psk.identity).uint32(psk.obfuscatedTicketAge)
  })
  data.vector16((list) => {
    for (const binder of psks.binders) list.vector8(binder)
  })
}

/** ServerHello: `uint16 selected_identity`, counted from 0. */
const selectedIdentity: ExtensionCodec<number> = {
  decode: (data) => data.uint16(),
  encode: (index, data) => data.uint16(index),
}

export const preSharedKey: ExtensionRow<{ CH: OfferedPsks; SH: number }> = {
  type: 41,
  CH: offeredPsks,
  SH: selectedIdentity,
}

export const preSharedKeyOfClient: typeof preSharedKey = {
  type: 41,
  CH: /* @__PURE__ */ writtenOnly(encodeOfferedPsks),
  SH: selectedIdentity,
}
