// key_share: RFC 9846 section 4.3.8.

import type { Reader } from "../../bytes/reader.ts"
import { Reader as ListReader } from "../../bytes/reader.ts"
import type { Writer } from "../../bytes/writer.ts"
import { type ExtensionCodec, type ExtensionRow, writtenOnly } from "./codec.ts"

export interface KeyShareEntry {
  readonly group: number
  /** 1 to 65535 bytes; what they mean is the group's affair (sections 4.3.8.1 and 4.3.8.2). */
  readonly keyExchange: Uint8Array
}

function decodeEntry(data: Reader): KeyShareEntry {
  return { group: data.uint16(), keyExchange: data.vector16("key_exchange", 1) }
}

function encodeEntry(entry: KeyShareEntry, data: Writer): void {
  data.uint16(entry.group).vector16(entry.keyExchange)
}

/** KeyShareClientHello: `KeyShareEntry client_shares<0..2^16-1>`; empty asks for a HelloRetryRequest. */
const keyShareClientHello: ExtensionCodec<readonly KeyShareEntry[]> = {
  decode(data) {
    const list = new ListReader(data.vector16("client_shares"), "key_share")
    const shares: KeyShareEntry[] = []
    while (list.remaining > 0) shares.push(decodeEntry(list))
    return shares
  },
  encode: encodeEntries,
}

function encodeEntries(shares: readonly KeyShareEntry[], data: Writer): void {
  data.vector16((list) => {
    for (const share of shares) encodeEntry(share, list)
  })
}

/** KeyShareServerHello: `KeyShareEntry server_share`. */
const keyShareServerHello: ExtensionCodec<KeyShareEntry> = { decode: decodeEntry, encode: encodeEntry }

/** KeyShareHelloRetryRequest: `NamedGroup selected_group`. */
const keyShareHelloRetryRequest: ExtensionCodec<number> = {
  decode: (data) => data.uint16(),
  encode: (group, data) => data.uint16(group),
}

export const keyShare: ExtensionRow<{ CH: readonly KeyShareEntry[]; SH: KeyShareEntry; HRR: number }> = {
  type: 51,
  CH: keyShareClientHello,
  SH: keyShareServerHello,
  HRR: keyShareHelloRetryRequest,
}

export const keyShareOfClient: typeof keyShare = {
  type: 51,
  CH: /* @__PURE__ */ writtenOnly(encodeEntries),
  SH: keyShareServerHello,
  HRR: keyShareHelloRetryRequest,
}
