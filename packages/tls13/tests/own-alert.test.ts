// An application ends a connection with an alert of its own: RFC 9846 section 6.2.

import { describe, expect, it } from "vitest"
import { AlertDescription, type AlertName } from "../src/bytes/alerts.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { Pair } from "../src/testing/pair.ts"
import { scene, start } from "./support.ts"

function pair(): Pair {
  const { client, server } = scene()
  return new Pair(
    new ClientConnection(createClientConfig(client), start),
    new ServerConnection(createServerConfig(server), start),
    start,
  )
}

const sides = ["client", "server"] as const
const closing = ["close_notify", "user_canceled"]

describe.each(sides)("RFC 9846 6.2: a %s's own alert", (side) => {
  const other = side === "client" ? "server" : "client"
  const names = (Object.keys(AlertDescription) as AlertName[]).filter((name) => !closing.includes(name))

  it.each(names)("%s ends the connection on both sides", (alert) => {
    const ended = pair().handshake()
    const outcome = ended[side].connection.abort(alert)
    expect(outcome).toMatchObject({
      waitsFor: "nothing",
      events: [{ type: "failed", error: { kind: "Closed", alert } }],
    })
    ended.take(ended[side], outcome)
    ended.run()
    expect(ended[other].connection.failure).toMatchObject({ kind: "PeerAlert", received: alert })
    expect(() => ended[side].connection.send(utf8ToBytes("x"))).toThrow(/connection is over/)
    // Another one has nobody to go to.
    expect(ended[side].connection.abort("access_denied")).toMatchObject({ output: new Uint8Array(0), events: [] })
  })

  it("says why, in the words of the application", () => {
    const ended = pair().handshake()
    ended[side].connection.abort("access_denied", "no such tenant")
    expect(ended[side].connection.failure?.message).toBe("no such tenant")
  })

  it("is sent before the handshake is complete, too", () => {
    const ended = pair()
    ended.take(ended.client, ended.client.connection.start())
    if (side === "server") {
      for (const bytes of ended.client.outgoing.splice(0)) {
        ended.take(ended.server, ended.server.connection.receive(bytes, start))
      }
    }
    ended.take(ended[side], ended[side].connection.abort("access_denied"))
    ended.run()
    expect(ended[other].connection.failure).toMatchObject({ received: "access_denied" })
  })

  it("is no second one after close_notify, which is the last that is sent (section 6.1)", () => {
    const { [side]: end } = pair().handshake()
    expect(end.connection.close().output.length).toBeGreaterThan(0)
    expect(end.connection.abort("access_denied").output).toHaveLength(0)
  })

  it.each([...closing, "decompression_failure", "toString", 49])("%s is none: the connection goes on", (word) => {
    const ended = pair().handshake()
    expect(() => ended[side].connection.abort(word as AlertName)).toThrow(/no error alert/)
    expect(ended[side].connection.writable).toBe(true)
  })
})
