// Shares of the groups with ML-KEM that cannot be used: draft-ietf-tls-ecdhe-mlkem sections 4.1 and 4.2, draft-ietf-tls-mlkem
// section 4.2, FIPS 203 section 7.2.

import { describe, expect, it } from "vitest"
import { decodeClientHello, encodeClientHello } from "../../src/codec/client-hello.ts"
import type { KeyShareEntry } from "../../src/codec/extensions/key-share.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { decodeServerHello, encodeServerHello } from "../../src/codec/server-hello.ts"
import {
  createMLKEM512,
  createMLKEM768,
  createMLKEM1024,
  createSecP256r1MLKEM768,
  createSecP384r1MLKEM1024,
  createX25519MLKEM768,
} from "../../src/crypto/noble-pq/index.ts"
import type { ImmediateKeyExchange } from "../../src/crypto/provider.ts"
import { clientUnderTest, expectRefused, provider, serverUnderTest } from "../support.ts"

/** With where the ML-KEM part of a client's share begins, an encapsulation key of 12-bit numbers below 3329. */
const groups: readonly { group: ImmediateKeyExchange; mlKemAt: number; ecdhAt?: number }[] = [
  { group: createX25519MLKEM768(), mlKemAt: 0, ecdhAt: 1184 },
  { group: createSecP256r1MLKEM768(), mlKemAt: 65, ecdhAt: 0 },
  { group: createSecP384r1MLKEM1024(), mlKemAt: 97, ecdhAt: 0 },
  { group: createMLKEM512(), mlKemAt: 0 },
  { group: createMLKEM768(), mlKemAt: 0 },
  { group: createMLKEM1024(), mlKemAt: 0 },
]

const lengths: readonly (readonly [what: string, change: (share: Uint8Array) => Uint8Array])[] = [
  ["a byte less", (share) => share.subarray(1)],
  ["a byte more", (share) => Uint8Array.of(...share, 0)],
  ["half of it", (share) => share.subarray(0, share.length >> 1)],
  ["a single byte", () => Uint8Array.of(0)],
]

describe.each(groups)("a share of $group.name that is", ({ group, mlKemAt, ecdhAt }) => {
  const only = { ...provider, keyExchanges: [group] }
  const cast = { client: { provider: only }, server: { provider: only } }
  const changed = (entry: KeyShareEntry, change: (share: Uint8Array) => Uint8Array) => ({
    group: entry.group,
    keyExchange: change(entry.keyExchange.slice()),
  })

  const refusedByServer = (change: (share: Uint8Array) => Uint8Array) => {
    const puppet = serverUnderTest(cast)
    const hello = decodeClientHello(handshakeMessage(puppet.drop("client_hello")))
    const key_share = hello.extensions.key_share!.map((entry) => changed(entry, change))
    puppet.message(encodeClientHello({ ...hello, extensions: { ...hello.extensions, key_share } }))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /client's key share/)
  }

  it.each(lengths)("%s: the server ends the handshake with illegal_parameter", (_what, change) =>
    refusedByServer(change),
  )

  it("has numbers of 3329 and more: the server ends the handshake with illegal_parameter", () => {
    refusedByServer((share) => share.fill(0xff, mlKemAt, mlKemAt + 3))
  })

  if (ecdhAt !== undefined) {
    it("has a classical part of zeros: the server ends the handshake with illegal_parameter", () => {
      refusedByServer((share) => share.fill(0, ecdhAt, ecdhAt + 32))
    })
  }

  it.each(lengths)("%s: the client ends the handshake with illegal_parameter", (_what, change) => {
    const puppet = clientUnderTest(cast)
    const hello = decodeServerHello(handshakeMessage(puppet.drop("server_hello")))
    if (hello.kind !== "server_hello") throw new Error(`a ${hello.kind} instead of a ServerHello`)
    const key_share = changed(hello.extensions.key_share!, change)
    puppet.message(encodeServerHello({ ...hello, extensions: { ...hello.extensions, key_share } }))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /server's key share/)
  })

  it("is as it should be: both sides take it", () => {
    expect(serverUnderTest(cast).run().subject.info?.group).toBe(group.name)
  })
})
