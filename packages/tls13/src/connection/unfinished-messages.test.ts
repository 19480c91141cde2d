// What is judged by the header of a handshake message alone (RFC 9846 section 4): memory is kept only for what may come.

import { describe, expect, it } from "vitest"
import { clientUnderTest, serverUnderTest } from "../../tests/support.ts"
import type { Puppet } from "../../tests/tools/puppet.ts"
import { HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"

/** The beginning of a message that announces `length` bytes. */
const beginning = (name: HandshakeTypeName, length: number) =>
  Uint8Array.of(HandshakeType[name], length >>> 16, length >>> 8, length, ...(length > 0 ? [0] : []))

const alertFor = (puppet: Puppet, name: HandshakeTypeName, length: number) => {
  puppet.message(beginning(name, length))
  return puppet.subject.failure?.alert
}

describe("RFC 9846 A: a message that may not come now is refused by its header", () => {
  it.each([
    ["server in START", () => serverUnderTest(), "certificate"],
    ["server that is connected", () => serverUnderTest().run(), "client_hello"],
    ["server that is connected", () => serverUnderTest().run(), "certificate"],
    ["client in WAIT_SH", () => clientUnderTest(), "new_session_ticket"],
    ["client that is connected", () => clientUnderTest().run(), "certificate"],
  ] as const)("%s: unexpected_message", (_, puppet, name) => {
    expect(alertFor(puppet(), name, 60_000)).toBe("unexpected_message")
  })

  it.each([
    ["server in START", () => serverUnderTest(), "client_hello"],
    ["client in WAIT_SH", () => clientUnderTest(), "server_hello"],
    ["client that is connected", () => clientUnderTest().run(), "new_session_ticket"],
  ] as const)("%s: one that may come is waited for", (_, puppet, name) => {
    expect(alertFor(puppet(), name, 60_000)).toBeUndefined()
  })
})

describe("RFC 9846 4.7.3, 4.5.3: a length that its type cannot have is refused by its header", () => {
  it("KeyUpdate of more than a byte: decode_error", () => {
    expect(alertFor(serverUnderTest().run(), "key_update", 2)).toBe("decode_error")
    expect(alertFor(clientUnderTest().run(), "key_update", 60_000)).toBe("decode_error")
  })

  it("Finished longer than any hash: decode_error", () => {
    const before = () => clientUnderTest().deliverUntilState("WAIT_FINISHED")
    expect(alertFor(before(), "finished", 64)).toBeUndefined()
    expect(alertFor(before(), "finished", 65)).toBe("decode_error")
  })
})
