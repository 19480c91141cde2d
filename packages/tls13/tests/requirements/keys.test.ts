// Key updates and what keys may be used for: RFC 9846 sections 4.7.3, 5.2 and 5.3.

import { describe, expect, it } from "vitest"
import { ContentType } from "../../src/bytes/code-points.ts"
import { Misuse } from "../../src/bytes/errors.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { Writer } from "../../src/bytes/writer.ts"
import { encodeKeyUpdate } from "../../src/codec/key-update.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig } from "../../src/connection/config.ts"
import { RecordLink } from "../../src/connection/record-link.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { type Connected, connectedOf } from "../../src/handshake/connected.ts"
import { answerKeyUpdate, receiveKeyUpdate, updateKeys } from "../../src/handshake/key-update.ts"
import { FinishedVerified } from "../../src/handshake/proofs.ts"
import { RecordWriter } from "../../src/record/record-writer.ts"
import { finishedMac, nextTrafficSecret } from "../../src/schedule/traffic.ts"
import { clientOptions, clientUnderTest, expectRefused, provider, serverUnderTest, start } from "../support.ts"
import type { Puppet } from "../tools/puppet.ts"
import { messagesOf, shakeHands } from "./scenes.ts"

const suite = provider.cipherSuites.find(({ name }) => name === "TLS_AES_128_GCM_SHA256")!
const hello = utf8ToBytes("hello")

/* ---------------------------------------------------------------- KeyUpdate */

// Requirement 4.7.3-6
it.each(["client", "server"] as const)(
  "RFC 9846 4.7.3: a %s asks for an update once, until the peer has sent one",
  (role) => {
    const played = shakeHands()
    const { pair } = played
    const [side, sent] = [pair[role], played[role]]
    // Nothing of the peer comes in between.
    for (let i = 0; i < 3; i++) pair.take(side, side.connection.updateKeys("update_requested"))
    const [asks, does] = [encodeKeyUpdate("update_requested"), encodeKeyUpdate("update_not_requested")]
    expect(messagesOf(sent, "key_update")).toEqual([asks, does, does])
    pair.run()
    // The peer answers before its next data (section 4.7.3), at the latest.
    const other = role === "client" ? "server" : "client"
    pair.take(pair[other], pair[other].connection.send(hello))
    pair.run()
    expect(messagesOf(played[other], "key_update")).toEqual([does])
    pair.take(side, side.connection.updateKeys("update_requested"))
    expect(messagesOf(sent, "key_update").at(-1)).toEqual(asks)
    pair.run()
    expect([pair.client.connection.failure, pair.server.connection.failure]).toEqual([undefined, undefined])
  },
)

// Requirement 4.7.3-8
it.each([
  ["client", () => clientUnderTest().run()],
  ["server", () => serverUnderTest().run()],
] as const)(
  "RFC 9846 4.7.3: a %s takes nothing under new keys before KeyUpdate under the old: bad_record_mac",
  (_role, reach) => {
    for (const [type, content] of [
      [ContentType.application_data, hello],
      [ContentType.handshake, encodeKeyUpdate("update_not_requested")],
    ] as const) {
      const puppet: Puppet = reach()
      const sender = puppet.subject instanceof ClientConnection ? "server" : "client"
      const secret = puppet.secret(`${sender}_application_traffic_secret`)!
      const [writer, out] = [new RecordWriter(), new Writer()]
      writer.protect(suite, nextTrafficSecret(suite.hash, secret))
      writer.write(type, content, out)
      puppet.receive(out.finish())
      expectRefused(puppet, "bad_record_mac", "PeerMisbehaved")
    }
  },
)

describe("RFC 9846 4.7.3: the epoch", () => {
  const most = 2 ** 48 - 1
  const { hash } = suite
  const zeros = new Uint8Array(hash.length)
  const finished = FinishedVerified.check(hash, zeros, zeros, finishedMac(hash, zeros, zeros))

  /** A connection that has renewed its keys that often. */
  const agedConnection = (sent: number, received: number): Connected => {
    const secret = () => new Uint8Array(hash.length).fill(1)
    const secrets = { client: secret(), server: secret(), exporter: secret() }
    const peer = { by: "none" } as const
    const connected = connectedOf("client", secrets)
    connected.sending.generation = sent
    connected.receiving.generation = received
    const rest = { answer: undefined, resumptionSecret: undefined, keyUpdateOwed: false, keyUpdateAwaited: false }
    return { ...connected, ...rest, proofs: { peer, finished }, suite }
  }

  const aged = (sent: number, received: number) => {
    const messages: Uint8Array[] = []
    const link = new RecordLink({
      ...createClientConfig(clientOptions),
      trace: (event) => {
        if (event.type === "message") messages.push(event.message.slice())
      },
    })
    link.now = start
    return { connected: agedConnection(sent, received), link, messages }
  }
  const asks = handshakeMessage(encodeKeyUpdate("update_requested"))

  // Requirement 4.7.3-9
  it("of what is sent never passes 2^48 - 1", () => {
    const { connected, link, messages } = aged(most - 1, 0)
    updateKeys(link, connected, "update_not_requested")
    expect(messages).toHaveLength(1)
    expect(() => updateKeys(link, connected, "update_not_requested")).toThrow(Misuse)
    expect(messages).toHaveLength(1)
  })

  // Requirement 4.7.3-11
  it("is not passed for a peer's request either, which is ignored", () => {
    const last = aged(most - 1, 0)
    receiveKeyUpdate(last.link, last.connected, asks)
    answerKeyUpdate(last.link, last.connected)
    expect(last.messages).toHaveLength(1)
    const past = aged(most, 0)
    receiveKeyUpdate(past.link, past.connected, asks)
    answerKeyUpdate(past.link, past.connected)
    expect(past.messages).toEqual([])
  })

  // Requirement 4.7.3-10
  it("of what is received may", () => {
    const { connected, link } = aged(0, most)
    for (let i = 1; i <= 3; i++) {
      receiveKeyUpdate(link, connected, asks)
      expect(connected.receiving.generation).toBe(most + i)
    }
  })
})

/* ---------------------------------------------------------------- AEADs */

const suites = [createNobleProvider(), createHostProvider(), createFastProvider()].flatMap(({ name, cipherSuites }) =>
  cipherSuites.map((each) => [name, each.name, each.aead] as const),
)

// Requirements 5.2-4, 5.3-3
it.each(suites)(
  "RFC 9846 5.2, 5.3: %s, %s: a nonce of 8 bytes or more, an expansion of 255 at most",
  (_provider, _suite, aead) => {
    expect(aead.nonceLength).toBeGreaterThanOrEqual(8)
    expect(aead.tagLength).toBeLessThanOrEqual(255)
    // What it says of itself is what it does.
    const out = new Uint8Array(hello.length + aead.tagLength + 8)
    aead.key(new Uint8Array(aead.keyLength)).seal(new Uint8Array(aead.nonceLength), new Uint8Array(5), hello, out, 0)
    expect([...out.subarray(hello.length + aead.tagLength)]).toEqual(new Array(8).fill(0))
  },
)
