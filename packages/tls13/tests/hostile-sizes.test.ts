// What a peer can make a connection work and keep by messages that are long but legal: lists of thousands, names of 64 KiB.

import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ExtensionType } from "../src/bytes/code-points.ts"
import { asciiToBytes } from "../src/bytes/text.ts"
import { Writer } from "../src/bytes/writer.ts"
import { decodeCertificateRequest } from "../src/codec/certificate-request.ts"
import { decodeClientHello, encodeClientHello } from "../src/codec/client-hello.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import type { ServerConnection } from "../src/connection/server-connection.ts"
import { publicKeyOf } from "../src/crypto/noble/index.ts"
import type { MessageRewriter } from "../src/handshake/options.ts"
import { checkClientHello } from "../src/handshake/server/client-hello-rules.ts"
import { clientKey, expectRefused, serverUnderTest, ticketer } from "./support.ts"
import { testVerifier } from "./tools/credentials.ts"
import {
  editClientHello,
  editExtensions,
  extension,
  type RawClientHello,
  type RawExtension,
  setExtension,
} from "./tools/edit.ts"
import { RetainedBuffers } from "./tools/retained.ts"

/** Milliseconds that `work` takes: the least of some runs. */
function timeOf(work: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < 5; run++) {
    const begun = performance.now()
    work()
    least = Math.min(least, performance.now() - begun)
  }
  return least
}

/** Four times the input may take some four times the time; sixteen is what a comparison of each with each takes. */
function expectLinear(make: (count: number) => () => void, most: number): void {
  const [few, many] = [make(Math.floor(most / 4)), make(most)]
  few()
  many()
  let ratio = Number.POSITIVE_INFINITY
  // A busy machine makes one of the two slow at times, never the ratio of each with each small.
  for (let attempt = 0; attempt < 5 && ratio >= 9; attempt++) {
    const [little, much] = [timeOf(few), timeOf(many)]
    // What takes hardly any time is measured badly.
    ratio = much < 20 ? 4 : much / little
  }
  expect(ratio).toBeLessThan(9)
}

const clientHello = (edit: (hello: RawClientHello) => void): Uint8Array => {
  let message: Uint8Array | undefined
  serverUnderTest({
    rewrite: (name, bytes) => {
      if (name === "client_hello") message = editClientHello(bytes, edit)
      return bytes
    },
  })
  return message!
}

const list16 = (codes: Iterable<number>) =>
  new Writer().vector16((list) => {
    for (const code of codes) list.uint16(code)
  })
const codes = (count: number, first: number) => Array.from({ length: count }, (_, index) => first + index)

describe("work is in proportion to what a peer sends", () => {
  it("RFC 9846 4.3: ClientHello with 16,000 extensions that nobody knows", () => {
    expectLinear((count) => {
      const message = clientHello(({ extensions }) => {
        extensions.unshift(...codes(count, 0x2000).map((type): RawExtension => ({ type, data: new Uint8Array(0) })))
      })
      return () => decodeClientHello(handshakeMessage(message))
    }, 16_000)
  })

  it("RFC 9846 4.3.8: ClientHello with 9,000 groups and shares of them", () => {
    expectLinear((count) => {
      const groups = codes(count, 0x3000)
      const message = clientHello(({ extensions }) => {
        setExtension(extensions, "supported_groups", list16(groups).finish())
        const shares = new Writer().vector16((list) => {
          for (const group of groups) list.uint16(group).vector16(Uint8Array.of(1))
        })
        setExtension(extensions, "key_share", shares.finish())
      })
      const hello = decodeClientHello(handshakeMessage(message))
      return () => checkClientHello(hello)
    }, 9000)
  })

  it("RFC 9846 4.3.5: CertificateRequest with 10,000 filters", () => {
    const empty = Uint8Array.of(13, 0, 0, 11, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3)
    expectLinear((count) => {
      const filters = new Writer().vector16((list) => {
        for (const code of codes(count, 0x1000))
          list.vector8(Uint8Array.of(code >> 8, code)).vector16(new Uint8Array(0))
      })
      const message = editExtensions(empty, (extensions) => {
        extensions.push(extension("oid_filters", filters.finish()))
      })
      return () => decodeCertificateRequest(handshakeMessage(message))
    }, 10_000)
  })
})

describe("RFC 6066 3: server_name is a host name", () => {
  const named = (name: Uint8Array) => {
    const puppet = serverUnderTest()
    const data = new Writer().vector16((list) => list.uint8(0).vector16(name)).finish()
    const edited = editClientHello(puppet.drop("client_hello"), ({ extensions }) => {
      setExtension(extensions, "server_name", data)
    })
    puppet.message(edited)
    return puppet
  }

  it("of 255 bytes at most", () => {
    const longest = asciiToBytes("a".repeat(255))
    expect(named(longest).state).toBe("WAIT_FINISHED")
    expectRefused(named(asciiToBytes("a".repeat(256))), "illegal_parameter", "InvalidMessage", /256 bytes/)
  })

  it.each([
    ["a line end", "a.test\nlevel=info"],
    ["an escape", "a.test\u001b[2J"],
    ["a space", "a test"],
    ["DEL", "a.test\u007f"],
    ["NUL", "a.test\0"],
  ])("without %s, which would end up in logs", (_, name) => {
    expectRefused(named(asciiToBytes(name)), "illegal_parameter", "InvalidMessage", /^server_name/)
  })
})

describe("what a connected client can make a server keep", () => {
  let buffers: RetainedBuffers
  beforeAll(() => {
    buffers = new RetainedBuffers()
  })
  afterAll(() => buffers.stop())

  it("is not its ClientHello, though it may be asked for a certificate later", async () => {
    const verifier = testVerifier(publicKeyOf(clientKey))
    const padding = new Uint8Array(50_000)
    const connected = () => {
      const puppet = serverUnderTest({
        client: { postHandshakeAuth: true, sessionStore: { take: () => undefined, put: () => undefined } },
        server: { clientAuthentication: { mode: "post-handshake", verifier }, ticketer },
        rewrite: (name, bytes) =>
          name === "client_hello"
            ? editClientHello(bytes, ({ extensions }) => {
                extensions.unshift({ type: ExtensionType.padding, data: padding })
              })
            : bytes,
      }).run()
      expect(puppet.subject.info).toBeDefined()
      return puppet.subject as ServerConnection
    }
    connected()
    const before = await buffers.bytes()
    const connections = [connected(), connected(), connected(), connected()]
    const kept = ((await buffers.bytes()) - before) / connections.length
    expect(connections.map(({ writable }) => writable)).toEqual([true, true, true, true])
    expect(kept).toBeLessThan(2048)
  })
})

describe("an error message", () => {
  it("RFC 7301 3.2: names some of the protocols that a client offers, not all 30,000", () => {
    const alpnProtocols = Array.from({ length: 20_000 }, (_, index) => String.fromCharCode(index >> 8, index & 0xff))
    // Our own client refuses to be configured so.
    const rewrite: MessageRewriter = (name, message) => {
      if (name !== "client_hello") return message
      const hello = decodeClientHello(handshakeMessage(message))
      const extensions = { ...hello.extensions, application_layer_protocol_negotiation: alpnProtocols }
      return encodeClientHello({ ...hello, extensions })
    }
    const { failure } = serverUnderTest({ rewrite, server: { alpnProtocols: ["mqtt"] } }).run().subject
    expect(failure).toMatchObject({ alert: "no_application_protocol" })
    expect(failure?.message.length).toBeLessThan(400)
  })
})

describe("a ticket that does not fit its message", () => {
  it("RFC 9846 4.7.1: is not sent, and the connection goes on", () => {
    const tooLong = { seal: () => new Uint8Array(65_536), open: () => undefined }
    const { subject, sent } = serverUnderTest({
      client: { sessionStore: { take: () => undefined, put: () => undefined } },
      server: { ticketer: tooLong },
    }).run()
    expect({ failure: subject.failure, writable: subject.writable }).toEqual({ failure: undefined, writable: true })
    expect(sent.map(({ name }) => name)).not.toContain("new_session_ticket")
  })
})
