// server_name: RFC 6066 section 3. One host_name; the reserved other name types are refused.

import { InvalidMessage } from "../../bytes/errors.ts"
import { asciiToBytes, bytesToAscii } from "../../bytes/text.ts"
import type { Writer } from "../../bytes/writer.ts"
import { type ExtensionCodec, type ExtensionRow, flag, writtenOnly } from "./codec.ts"

const host_name = 0

/** RFC 1035 section 2.3.4: the most octets of a name. */
const longestName = 255

/** The host name as sent: an A-label (RFC 5890), ASCII, 1 to 255 bytes. */
const hostName: ExtensionCodec<string> = {
  decode(data) {
    const list = data.vector16("server_name_list", 1)
    const nameType = list[0]
    const length = ((list[1] ?? 0) << 8) | (list[2] ?? 0)
    // RFC 6066 section 3: "MUST NOT contain more than one name of the same name_type", and there is but one type.
    if (list.length < 4 || nameType !== host_name || length !== list.length - 3) {
      throw new InvalidMessage("server_name holds something other than exactly one host_name")
    }
    if (length > longestName) {
      throw new InvalidMessage(
        `server_name has ${length} bytes; a host name has at most ${longestName}`,
        "illegal_parameter",
      )
    }
    const name = bytesToAscii(list.subarray(3))
    // A name is kept with the connection and its session, and is written to logs: no control characters, and no spaces.
    if (name === undefined || !/^[!-~]+$/.test(name)) {
      throw new InvalidMessage("server_name is not an ASCII host name", "illegal_parameter")
    }
    return name
  },
  encode: encodeHostName,
}

function encodeHostName(name: string, data: Writer): void {
  data.vector16((list) => list.uint8(host_name).vector16(asciiToBytes(name)))
}

export const serverName: ExtensionRow<{ CH: string; EE: true }> = {
  type: 0,
  CH: hostName,
  EE: flag,
}

export const serverNameOfClient: typeof serverName = {
  type: 0,
  CH: /* @__PURE__ */ writtenOnly(encodeHostName),
  EE: flag,
}
