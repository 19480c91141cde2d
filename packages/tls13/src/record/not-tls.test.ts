import { describe, expect, it } from "vitest"
import { PeerIncompatible, PeerMisbehaved } from "../bytes/errors.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { notTls } from "./not-tls.ts"
import { RecordReader } from "./record-reader.ts"

function errorOf(bytes: Uint8Array): unknown {
  const reader = new RecordReader({ notTls })
  reader.push(bytes)
  try {
    reader.next()
  } catch (error) {
    return error
  }
  throw new Error("the reader took it for TLS")
}

describe("RFC 9846 5: a first record that is plainly not TLS is refused with unexpected_message and in words", () => {
  it.each([
    ["GET / HTTP/1.1\r\n", "peer speaks plain HTTP, not TLS"],
    ["POST /mqtt HTTP/1.1\r\n", "peer speaks plain HTTP, not TLS"],
    ["HEAD / HTTP/1.0\r\n", "peer speaks plain HTTP, not TLS"],
    ["CONNECT a:443 HTTP/1.1\r\n", "peer speaks plain HTTP, not TLS"],
    ["PUT /a HTTP/1.1", "peer speaks plain HTTP, not TLS"],
    ["HTTP/1.1 400 Bad Request", "peer speaks plain HTTP, not TLS"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "peer speaks plain HTTP/2, not TLS"],
    ["SSH-2.0-OpenSSH_9.6\r\n", "peer speaks SSH, not TLS"],
    ["220 mail.example ESMTP", "peer speaks plain SMTP or FTP, not TLS"],
    ["PROXY TCP4 192.0.2.1", "peer speaks the PROXY protocol, not TLS"],
  ])("%s", (text, message) => {
    const error = errorOf(asciiToBytes(text))
    expect(error).toBeInstanceOf(PeerMisbehaved)
    expect(error).toMatchObject({ alert: "unexpected_message", message })
  })

  it.each([
    ["MQTT 3.1.1 and 5, a short CONNECT", Uint8Array.of(0x10, 0x0e, 0, 4, 0x4d, 0x51, 0x54, 0x54)],
    ["MQTT 3.1, a short CONNECT", Uint8Array.of(0x10, 0x10, 0, 6, 0x4d, 0x51, 0x49)],
    ["a CONNECT of more than 127 bytes", Uint8Array.of(0x10, 0x80, 0x01, 0, 4, 0x4d)],
  ])("%s", (_name, bytes) => {
    expect(errorOf(bytes)).toMatchObject({
      alert: "unexpected_message",
      message: "peer speaks plain MQTT, not TLS",
    })
  })

  it("RFC 9846 E.5: an SSL 2.0 CLIENT-HELLO is a matter of version", () => {
    const error = errorOf(Uint8Array.of(0x80, 0x2e, 1, 3, 1, 0, 0x15))
    expect(error).toBeInstanceOf(PeerIncompatible)
    expect(error).toMatchObject({ alert: "protocol_version" })
  })

  it("anything else: the first byte is shown", () => {
    const error = errorOf(Uint8Array.of(0x7f, 1, 2, 3, 4))
    expect(error).toMatchObject({
      alert: "unexpected_message",
      message: "peer does not speak TLS: its first byte is 0x7f",
    })
  })

  it("only the first record is looked at in this way", () => {
    const reader = new RecordReader({ notTls })
    reader.push(Uint8Array.of(22, 3, 1, 0, 1, 1, ...asciiToBytes("GET / HTTP")))
    expect(reader.next()?.type).toBe(22)
    expect(() => reader.next()).toThrow("a record of unknown content type 71")
  })
})
