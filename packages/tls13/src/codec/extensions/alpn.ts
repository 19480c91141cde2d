// application_layer_protocol_negotiation: RFC 7301.

import { InvalidMessage } from "../../bytes/errors.ts"
import { Reader } from "../../bytes/reader.ts"
import { bytesToLatin1 } from "../../bytes/text.ts"
import type { Writer } from "../../bytes/writer.ts"
import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** A protocol name's octets, one character an octet (they need not be text), 1 to 255 of them. */
function encodeName(name: string, list: Writer): void {
  list.vector8(Uint8Array.from(name, (character) => character.charCodeAt(0)))
}

function decodeList(data: Reader): string[] {
  const list = new Reader(data.vector16("protocol_name_list", 2), "application_layer_protocol_negotiation")
  const names: string[] = []
  while (list.remaining > 0) names.push(bytesToLatin1(list.vector8("ProtocolName", 1)))
  return names
}

/** ClientHello: `ProtocolName protocol_name_list<2..2^16-1>`, in order of preference. */
const alpnProtocols: ExtensionCodec<readonly string[]> = {
  decode: decodeList,
  encode: (names, data) =>
    data.vector16((list) => {
      for (const name of names) encodeName(name, list)
    }),
}

/** EncryptedExtensions: the list "MUST contain exactly one ProtocolName" (RFC 7301 section 3.1). */
const alpnProtocol: ExtensionCodec<string> = {
  decode(data) {
    const names = decodeList(data)
    if (names.length !== 1) throw new InvalidMessage(`server selected ${names.length} application protocols, not one`)
    return names[0]!
  },
  encode: (name, data) => data.vector16((list) => encodeName(name, list)),
}

export const applicationLayerProtocolNegotiation: ExtensionRow<{ CH: readonly string[]; EE: string }> = {
  type: 16,
  CH: alpnProtocols,
  EE: alpnProtocol,
}
