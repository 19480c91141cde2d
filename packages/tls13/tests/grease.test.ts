// GREASE (RFC 8701) and the order of extensions: values and orders that mean nothing, and must change nothing.

import { describe, expect, it } from "vitest"
import { ExtensionType } from "../src/bytes/code-points.ts"
import { Reader } from "../src/bytes/reader.ts"
import { decodeClientHello } from "../src/codec/client-hello.ts"
import { encodeHandshake, handshakeMessage } from "../src/codec/message.ts"
import { clientUnderTest, expectRefused, resumed, serverUnderTest, ticketer } from "./support.ts"
import type { MessageName } from "./tools/puppet.ts"

const isGrease = (value: number) => /^(.a)\1$/.test(value.toString(16).padStart(4, "0"))
const grease = { client: { grease: true } }
const hellos = (sent: readonly { readonly name: MessageName; readonly message: Uint8Array }[]) =>
  sent.filter(({ name }) => name === "client_hello").map(({ message }) => decodeClientHello(handshakeMessage(message)))

describe("RFC 8701: a client that sends GREASE", () => {
  it("3.1: has a value in each list, and two extensions, anew for each connection", () => {
    const seen = new Set<number>()
    for (let connection = 0; connection < 40; connection++) {
      const [hello] = hellos(clientUnderTest(grease).run().sent)
      const { extensions, extensionTypes, cipherSuites } = hello!
      const shares = extensions.key_share!.map(({ group }) => group)
      const { supported_groups, supported_versions, signature_algorithms } = extensions
      for (const list of [cipherSuites, supported_groups!, supported_versions!, signature_algorithms!, shares]) {
        expect(list.filter(isGrease)).toHaveLength(1)
      }
      expect(shares[0]).toBe(supported_groups![0])
      const types = extensionTypes.filter(isGrease)
      expect(new Set(types).size).toBe(2)
      expect([extensionTypes[0], extensionTypes.at(-1)]).toEqual(types)
      seen.add(cipherSuites[0]!)
    }
    expect(seen.size).toBeGreaterThan(8)
  })

  it("is served like any other", () => {
    const puppet = clientUnderTest(grease).run()
    expect(puppet.subject.info).toBeDefined()
    expect(puppet.actor.info).toBeDefined()
  })

  it("RFC 9846 4.2.2: sends the same again after a HelloRetryRequest", () => {
    const client = { ...grease.client, groups: ["x25519", "secp256r1"], keyShares: ["x25519"] }
    const puppet = clientUnderTest({ client, server: { groups: ["secp256r1"] } }).run()
    const [first, second] = hellos(puppet.sent)
    expect(second!.extensionTypes.filter(isGrease)).toEqual(first!.extensionTypes.filter(isGrease))
    expect(puppet.actor.info?.helloRetryRequest).toBe(true)
  })

  it("RFC 9846 4.3.11: keeps pre_shared_key the last", () => {
    const puppet = clientUnderTest(resumed(grease)).run()
    const [hello] = hellos(puppet.sent)
    expect(hello!.extensionTypes.at(-1)).toBe(ExtensionType.pre_shared_key)
    expect(hello!.extensions.psk_key_exchange_modes).toHaveLength(2)
    expect(puppet.actor.info?.resumed).toBe(true)
  })

  it("3.1: refuses a server that answers one of the extensions", () => {
    let type = 0
    const rewriteSubject = (name: MessageName, message: Uint8Array) => {
      if (name === "client_hello") type = decodeClientHello(handshakeMessage(message)).extensionTypes.find(isGrease)!
      return message
    }
    const rewrite = (name: MessageName, message: Uint8Array) =>
      name === "encrypted_extensions"
        ? encodeHandshake("encrypted_extensions", (writer) => {
            writer.vector16((block) => {
              block.bytes(new Reader(message.subarray(4), "EncryptedExtensions").vector16("extensions"))
              block.uint16(type).uint16(0)
            })
          })
        : message
    expectRefused(
      clientUnderTest({ ...grease, rewrite, rewriteSubject }).run(),
      "unsupported_extension",
      "PeerMisbehaved",
    )
  })
})

it("RFC 8701 4.1: a server puts an extension into its tickets, and a client ignores it", () => {
  const server = { grease: true, ticketer, tickets: 1 }
  const client = { sessionStore: { take: () => undefined, put: () => {} } }
  const puppet = serverUnderTest({ client, server }).run()
  const ticket = puppet.sent.find(({ name }) => name === "new_session_ticket")!
  expect(isGrease((ticket.message.at(-4)! << 8) | ticket.message.at(-3)!)).toBe(true)
  expect(puppet.actor.failure).toBeUndefined()
})

describe("the order of extensions", () => {
  const permuted = { client: { permuteExtensions: true } }

  it("RFC 9846 4.3: is another in each connection, and each is served", () => {
    const orders = new Set<string>()
    for (let connection = 0; connection < 10; connection++) {
      const puppet = clientUnderTest(permuted).run()
      const [hello] = hellos(puppet.sent)
      orders.add(hello!.extensionTypes.join())
      expect([...hello!.extensionTypes].sort().join()).toBe(
        [...hellos(clientUnderTest().run().sent)[0]!.extensionTypes].sort().join(),
      )
      expect(puppet.actor.info).toBeDefined()
    }
    expect(orders.size).toBeGreaterThan(5)
  })

  it("RFC 9846 4.3.11: leaves pre_shared_key the last", () => {
    for (let connection = 0; connection < 5; connection++) {
      const puppet = clientUnderTest(resumed(permuted)).run()
      expect(hellos(puppet.sent)[0]!.extensionTypes.at(-1)).toBe(ExtensionType.pre_shared_key)
      expect(puppet.actor.info?.resumed).toBe(true)
    }
  })
})
