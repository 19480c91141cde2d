// What a small device does: a key instead of certificates, one suite, one group, short records, no clock.

import { ClientConnection, createServerConfig, ServerConnection } from "@puremq/tls13"
import { TLS_CHACHA20_POLY1305_SHA256, x25519 } from "@puremq/tls13/crypto/noble"
import { createLeanClientConfig, preSharedKeys } from "@puremq/tls13/lean"
import { type ExternalPsk, MemoryPskStore } from "@puremq/tls13/session"
import { Pair, received } from "@puremq/tls13/testing"
import type { Scenario } from "./host.ts"
import { bytes, connected, equal, failing, pairOf, text, trusting } from "./world.ts"

const pskOnly: Scenario = {
  name: "PSK only",
  run(host) {
    const { random, now } = host
    const provider = {
      name: "small",
      cipherSuites: [TLS_CHACHA20_POLY1305_SHA256],
      keyExchanges: [x25519],
      signatures: [],
      random,
    }
    const key = { identity: bytes("sensor-17"), key: random(32), hash: "sha256", kind: "external" } as const
    const config = createServerConfig({ provider, externalPsks: new MemoryPskStore([key]) })
    const pairWith = (own: ExternalPsk): Pair => {
      const client = { provider, externalPsks: [own], recordSizeLimit: 512, maxFragment: 512 }
      const connection = new ClientConnection(createLeanClientConfig(client, { preSharedKeys }), now)
      return new Pair(connection, new ServerConnection(config, now), now)
    }
    const pair = pairWith(key)
    const agreed = connected(pair)
    equal(agreed, "TLS_CHACHA20_POLY1305_SHA256, x25519")
    const { info } = pair.server.connection
    equal([info?.authentication, text(info?.pskIdentity ?? bytes(""))], ["psk", "sensor-17"])
    // RFC 8449: what the server sends fits into what the client has room for.
    const before = received(pair.client).length
    const { output } = pair.server.connection.send(new Uint8Array(2000))
    equal(recordLengths(output), [528, 528, 528, 484])
    pair.client.outgoing = []
    pair.server.outgoing = [output]
    pair.run()
    equal(received(pair.client).length - before, 2000)

    failing(
      pairWith({ ...key, key: random(32) }),
      ["PeerAlert", undefined, "ERR_TLS_PEER_DECRYPT_ERROR", "decrypt_error"],
      ["PeerMisbehaved", "decrypt_error", "ERR_TLS_DECRYPT_ERROR"],
    )
    return agreed
  },
}

/** The length field of each record (RFC 9846 section 5.2). */
function recordLengths(output: Uint8Array): number[] {
  const lengths: number[] = []
  for (let at = 0; at < output.length; at += 5 + lengths.at(-1)!) lengths.push(output[at + 3]! * 256 + output[at + 4]!)
  return lengths
}

const noClock: Scenario = {
  name: "certificate without a clock",
  run(host) {
    const { authority } = host.certificates
    // Of the time only that since the device was switched on is known.
    const asleep = { ...host, now: 5000 }
    const knowing = (atLeast: number) => ({ verifier: trusting(authority, { unknownTime: { atLeast } }) })
    const pair = pairOf(asleep, knowing(0))
    connected(pair)
    equal(pair.client.connection.info?.peer?.unchecked, ["validity"])
    failing(
      pairOf(asleep, knowing(host.now + 1000 * 86_400_000)),
      ["CertificateRejected", "certificate_expired", "ERR_TLS_CERTIFICATE_EXPIRED", "expired"],
      ["PeerAlert", undefined, "ERR_TLS_PEER_CERTIFICATE_EXPIRED", "certificate_expired"],
    )
    return undefined
  },
}

export const small: readonly Scenario[] = [pskOnly, noClock]
