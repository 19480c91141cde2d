// What a server may send before the client's Finished: RFC 9846 section 2, "0.5-RTT data".

import { describe, expect, it } from "vitest"
import { toHex } from "../src/bytes/hex.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { Pair, received } from "../src/testing/pair.ts"
import type { CertificateVerdict } from "../src/x509/interfaces.ts"
import { type Cast, clientCertificate, early, scene, start } from "./support.ts"
import { paused } from "./tools/credentials.ts"

/** A pair whose server has the ClientHello, and whose client has nothing yet. */
function waiting(cast: Cast = {}): Pair {
  const { client, server } = scene(cast)
  const pair = new Pair(
    new ClientConnection(createClientConfig(client), start),
    new ServerConnection(createServerConfig(server), start),
    start,
  )
  pair.take(pair.client, pair.client.connection.start())
  if (pair.client.connection.earlyDataWritable > 0) {
    pair.take(pair.client, pair.client.connection.sendEarlyData(utf8ToBytes("question")))
  }
  for (const bytes of pair.client.outgoing.splice(0)) {
    pair.take(pair.server, pair.server.connection.receive(bytes, start))
  }
  return pair
}

describe("RFC 9846 2: a server sends before the client's Finished", () => {
  it("an answer to early data: the client has it with its first flight", () => {
    const pair = waiting(early())
    expect(received(pair.server, "early-data")).toEqual(utf8ToBytes("question"))
    expect(pair.server.connection.halfRttWritable).toBe(true)
    expect(pair.server.connection.writable).toBe(false)
    pair.take(pair.server, pair.server.connection.sendHalfRtt(utf8ToBytes("answer")))
    for (const bytes of pair.server.outgoing.splice(0)) {
      pair.take(pair.client, pair.client.connection.receive(bytes, start))
    }
    expect(received(pair.client)).toEqual(utf8ToBytes("answer"))
    pair.run()
    expect(pair.server.connection.info?.earlyData).toBe("accepted")
  })

  it("and goes on with other data once the client is known", () => {
    const pair = waiting()
    pair.take(pair.server, pair.server.connection.sendHalfRtt(utf8ToBytes("banner ")))
    pair.run()
    expect(pair.server.connection.halfRttWritable).toBe(false)
    pair.take(pair.server, pair.server.connection.send(utf8ToBytes("data")))
    pair.run()
    expect(received(pair.client)).toEqual(utf8ToBytes("banner data"))
  })

  it("section 5.5: no more than the key may protect, and the connection goes on", () => {
    const pair = waiting({ server: { limits: { recordsPerKey: 8 } } })
    const { connection } = pair.server
    const record = new Uint8Array(16_384)
    for (let sent = 0; sent < 6; sent++) pair.take(pair.server, connection.sendHalfRtt(record))
    expect(() => {
      for (;;) pair.take(pair.server, connection.sendHalfRtt(record))
    }).toThrow(/key of 0\.5-RTT data is used up/)
    pair.run()
    expect([connection.failure, connection.info?.protocol]).toEqual([undefined, "TLSv1.3"])
    pair.take(pair.server, connection.send(utf8ToBytes("data")))
    pair.run()
    expect(received(pair.client).length % record.length).toBe("data".length)
  })

  it("at once, also while the client's certificate is being decided about", () => {
    const pause = paused<CertificateVerdict>()
    const { server } = clientCertificate
    const clientAuthentication = { ...server.clientAuthentication, verifier: { verify: () => pause } }
    const pair = waiting({ ...clientCertificate, server: { clientAuthentication } })
    pair.run()
    const { connection } = pair.server
    expect(connection.tick(start).waitsFor).toMatchObject({ name: "VerifyPeer" })
    pair.take(pair.server, connection.sendHalfRtt(utf8ToBytes("banner")))
    pair.run()
    expect(received(pair.client)).toEqual(utf8ToBytes("banner"))
  })

  it("but no client does, nor anybody at another time", () => {
    const pair = waiting()
    const data = utf8ToBytes("x")
    expect(() => pair.client.connection.sendHalfRtt(data)).toThrow(/only a server/)
    pair.run()
    expect(() => pair.server.connection.sendHalfRtt(data)).toThrow(/only a server/)
    const { server } = scene()
    expect(() => new ServerConnection(createServerConfig(server), start).sendHalfRtt(data)).toThrow(/only a server/)
  })

  it("nor after close_notify", () => {
    const pair = waiting()
    pair.take(pair.server, pair.server.connection.close())
    expect(pair.server.connection.halfRttWritable).toBe(false)
  })
})

describe("RFC 9846 7.5: a server's exporter between the two Finished", () => {
  const exported = ({ connection }: Pair["server"] | Pair["client"]) =>
    toHex(connection.exportKeyingMaterial("EXPORTER-test", utf8ToBytes("context"), 32))

  it.each(["with", "without"])("%s early data gives what both sides get after them", (data) => {
    const pair = waiting(data === "with" ? early() : {})
    const before = exported(pair.server)
    expect(() => exported(pair.client)).toThrow(/once the handshake is complete/)
    pair.run()
    expect([exported(pair.server), exported(pair.client)]).toEqual([before, before])
  })

  it("gives nothing before the server's Finished, nor after the end", () => {
    const { server } = scene()
    expect(() =>
      exported({ connection: new ServerConnection(createServerConfig(server), start) } as Pair["server"]),
    ).toThrow(/once the handshake is complete/)
    const ends: readonly ((pair: Pair) => unknown)[] = [
      ({ server: { connection } }) => connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 40), start),
      ({ server: { connection } }) => connection.close(),
      ({ server: { connection } }) => connection.destroy(),
    ]
    for (const end of ends) {
      const pair = waiting()
      expect(exported(pair.server)).toHaveLength(64)
      end(pair)
      expect(() => exported(pair.server)).toThrow(/once the handshake is complete/)
    }
  })
})

describe("RFC 9846 4.6: a client's early data goes on", () => {
  it("after EncryptedExtensions took it, until EndOfEarlyData", () => {
    const pair = waiting(early())
    const [flight] = pair.server.outgoing.splice(0)
    // ServerHello, change_cipher_spec and one record with EncryptedExtensions and Finished: all but its last byte.
    pair.take(pair.client, pair.client.connection.receive(flight!.subarray(0, -1), start))
    expect(pair.client.connection.earlyDataWritable).toBeGreaterThan(0)
    pair.take(pair.client, pair.client.connection.sendEarlyData(utf8ToBytes(" and more")))
    pair.take(pair.client, pair.client.connection.receive(flight!.subarray(-1), start))
    expect(pair.client.connection.earlyDataWritable).toBe(0)
    pair.run()
    expect(received(pair.server, "early-data")).toEqual(utf8ToBytes("question and more"))
    expect(pair.server.connection.info?.earlyData).toBe("accepted")
  })
})
