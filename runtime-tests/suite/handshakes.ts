// Handshakes with certificates that succeed, and what follows them.

import { createX25519MLKEM768 } from "@puremq/tls13/crypto/noble-pq"
import { MemorySessionStore, TicketKeyRing } from "@puremq/tls13/session"
import { received } from "@puremq/tls13/testing"
import type { Host, Scenario } from "./host.ts"
import { closed, connected, equal, joined, noble, owning, pairOf, text, trusting } from "./world.ts"

const full: Scenario = {
  name: "full handshake",
  run(host) {
    const pair = pairOf(host, { alpnProtocols: ["mqtt", "other"] }, { alpnProtocols: ["mqtt"] })
    const agreed = connected(pair)
    const { info } = pair.client.connection
    equal(
      [info?.protocol, info?.authentication, info?.peerSignatureScheme, info?.alpnProtocol, info?.helloRetryRequest],
      ["TLSv1.3", "certificate", "ecdsa_secp256r1_sha256", "mqtt", false],
    )
    equal([info?.peer?.subject, info?.peer?.path.length], ["CN=localhost", 2])
    equal(agreed, "TLS_CHACHA20_POLY1305_SHA256, x25519")
    closed(pair)
    return agreed
  },
}

const inSmallPieces: Scenario = {
  name: "one byte at a time",
  run(host) {
    const pair = pairOf(host)
    pair.chunk = 1
    connected(pair)
    return undefined
  },
}

const retry: Scenario = {
  name: "HelloRetryRequest",
  run(host) {
    // A share of secp256r1, for a server that has x25519 alone.
    const pair = pairOf(host, { groups: ["secp256r1", "x25519"] }, { groups: ["x25519"] })
    const agreed = connected(pair)
    const retries = [pair.client, pair.server].map(({ connection }) => connection.info?.helloRetryRequest)
    equal(retries, [true, true])
    return agreed
  },
}

const resumption: Scenario = {
  name: "resumption",
  run(host) {
    const provider = noble(host)
    const { aead } = provider.cipherSuites[0]!
    const client = { provider, serverName: "localhost", verifier: trusting(host.certificates.authority) }
    const remembering = { ...client, sessionStore: new MemorySessionStore() }
    const ticketer = new TicketKeyRing({ aead, random: host.random })
    const server = { provider, credentials: owning(host.certificates.server), ticketer }
    const first = joined(host, remembering, server)
    connected(first)
    equal(first.client.events.filter(({ type }) => type === "ticket").length, 2)
    const second = joined(host, remembering, server)
    connected(second)
    const { info } = second.client.connection
    equal([info?.resumed, info?.authentication, info?.peerSignatureScheme], [true, "psk", undefined])
    equal(info?.peerChain.map(text), first.client.connection.info?.peerChain.map(text))
    const carried = [first, second].map(({ carried }) => carried.serverToClient)
    if (carried[1]! >= carried[0]!) throw new Error("a resumed handshake carries as much as a full one")
    return `${carried[0]} bytes from the server, resumed ${carried[1]}`
  },
}

const mutual: Scenario = {
  name: "client certificate",
  run(host) {
    const { authority, client } = host.certificates
    const verifier = trusting(authority)
    const pair = pairOf(host, { credentials: owning(client) }, { clientAuthentication: { mode: "require", verifier } })
    const agreed = connected(pair)
    equal(pair.server.connection.info?.peer?.subject, "CN=sensor-17")
    return agreed
  },
}

const keyUpdate: Scenario = {
  name: "KeyUpdate",
  run(host) {
    const pair = pairOf(host)
    connected(pair)
    for (const request of ["update_requested", "update_not_requested"] as const) {
      for (const side of [pair.client, pair.server]) {
        pair.take(side, side.connection.updateKeys(request))
        pair.take(side, side.connection.send(Uint8Array.of(1, 2, 3)))
        pair.run()
      }
    }
    equal(
      [pair.client, pair.server].map((side) => received(side).length),
      [13 + 6, 13 + 6],
    )
    closed(pair)
    return undefined
  },
}

const echo: Scenario = {
  name: "1 MiB echo",
  run(host) {
    const pair = pairOf(host)
    connected(pair)
    const { client, server } = pair
    const [atServer, atClient] = [received(server).length, received(client).length]
    const data = new Uint8Array(1 << 20).map((_, at) => (at * 31 + (at >> 8)) & 0xff)
    pair.take(client, client.connection.send(data))
    pair.run()
    pair.take(server, server.connection.send(received(server).subarray(atServer)))
    pair.run()
    const back = received(client).subarray(atClient)
    if (back.length !== data.length || back.some((octet, at) => octet !== data[at]))
      throw new Error("it came back changed")
    return undefined
  },
}

const hybrid: Scenario = {
  name: "hybrid group X25519MLKEM768",
  run(host: Host) {
    const provider = { ...noble(host), keyExchanges: [createX25519MLKEM768(), ...noble(host).keyExchanges] }
    const pair = pairOf(host, { provider }, { provider })
    const agreed = connected(pair)
    equal(pair.client.connection.info?.group, "X25519MLKEM768")
    return agreed
  },
}

export const handshakes: readonly Scenario[] = [full, inSmallPieces, retry, resumption, mutual, keyUpdate, echo, hybrid]
