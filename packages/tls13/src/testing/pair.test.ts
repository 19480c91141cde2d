import { expect, it } from "vitest"
import { clientOptions, serverOptions, start } from "../../tests/support.ts"
import { utf8ToBytes } from "../bytes/text.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../connection/config.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import type { ClientOptions } from "../handshake/options.ts"
import { Pair, received } from "./pair.ts"

function pairOf(options: Partial<ClientOptions> = {}): Pair {
  const client = new ClientConnection(createClientConfig({ ...clientOptions, ...options }), start)
  return new Pair(client, new ServerConnection(createServerConfig(serverOptions), start), start)
}

it.each([1, 7, Number.POSITIVE_INFINITY])("carries a handshake and data both ways, %s bytes at a time", (chunk) => {
  const pair = pairOf()
  pair.chunk = chunk
  pair.handshake()
  const { client, server } = pair
  pair.take(client, client.connection.send(utf8ToBytes("a question")))
  pair.run()
  pair.take(server, server.connection.send(utf8ToBytes("an answer")))
  pair.run()
  expect([received(server), received(client)]).toEqual([utf8ToBytes("a question"), utf8ToBytes("an answer")])
  expect(client.events.map(({ type }) => type)).toEqual(["offered", "connected", "data"])
  expect(pair.carried.clientToServer).toBeGreaterThan(200)
  expect(received(server, "early-data")).toEqual(new Uint8Array(0))
})

it("ends when both are silent: also when one refuses the other, whose alert is carried", () => {
  const verdict = { accepted: false, alert: "certificate_expired", reason: "expired", message: "it expired" } as const
  const pair = pairOf({ verifier: { leafKey: clientOptions.verifier!.leafKey!, verify: () => verdict } })
  pair.handshake()
  expect(pair.client.connection.failure?.alert).toBe("certificate_expired")
  expect(pair.server.connection.failure).toMatchObject({ kind: "PeerAlert", received: "certificate_expired" })
})

it("what a side has sent can be changed on its way", () => {
  const pair = pairOf()
  pair.take(pair.client, pair.client.connection.start())
  const [hello] = pair.client.outgoing
  hello![9]! ^= 1 // legacy_version
  pair.run()
  expect(pair.server.connection.failure).toBeDefined()
})
