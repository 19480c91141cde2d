import { describe, expect, it } from "vitest"
import { formatEvent, type LogEvent } from "./log.ts"

const peer = { transport: "tcp", address: "127.0.0.1:5" } as const
const refused: LogEvent = {
  event: "client refused",
  peer,
  clientId: "a b\n\u001b[31m",
  reason: "the client speaks HTTP",
}

describe("log lines", () => {
  it("text: one line, quoted where needed, without control characters", () => {
    const line = formatEvent(refused, "text", 0)
    expect(line).toBe(
      '1970-01-01T00:00:00.000Z client refused peer=127.0.0.1:5 transport=tcp clientId="a b\\n\\u001b[31m" reason="the client speaks HTTP"',
    )
  })

  it("json: one object a line with the same fields", () => {
    expect(JSON.parse(formatEvent(refused, "json", 0))).toEqual({
      time: "1970-01-01T00:00:00.000Z",
      event: "client refused",
      peer: "127.0.0.1:5",
      transport: "tcp",
      clientId: "a b\n\u001b[31m",
      reason: "the client speaks HTTP",
    })
  })

  it("a handshake", () => {
    const line = formatEvent(
      {
        event: "tls failure",
        peer: "127.0.0.1:5",
        listener: "tls",
        fault: "client",
        alert: "protocol_version",
        reason: "client offers TLS 1.2 at most",
        milliseconds: 3,
      },
      "text",
      0,
    )
    expect(line).toContain(
      'tls failure peer=127.0.0.1:5 listener=tls fault=client alert=protocol_version reason="client offers TLS 1.2 at most" milliseconds=3',
    )
  })
})
