// How long a connection that has ended stays, so that its client learns why.

import { once } from "node:events"
import { connect } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { writeConnect } from "../codecs/mqtt-packet.ts"
import { createBroker, type PureMqBroker } from "../platform/node.ts"

let broker: PureMqBroker | undefined
afterEach(() => broker?.close())

describe("MQTT 5.0 4.13: the last packet of the broker", () => {
  it("is there for a client that goes on sending for longer than a second before it reads", async () => {
    broker = createBroker({ listeners: [{ type: "tcp", port: 0 }], sysInterval: 0 })
    const [listener] = await broker.listen()
    const client = connect({ host: "127.0.0.1", port: listener!.port })
    const errors: Error[] = []
    client.on("error", (error) => errors.push(error))
    await once(client, "connect")
    client.write(writeConnect({ protocolVersion: 5, clientId: "a", cleanStart: true, keepAlive: 60 }))
    await once(client, "data")
    client.pause()
    client.write(Uint8Array.of(0x82, 3, 0, 1, 0)) // SUBSCRIBE without a Topic Filter
    for (let i = 0; i < 10; i++) {
      client.write(new Uint8Array(100_000))
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    expect(errors).toEqual([])
    client.resume()
    const [disconnect] = await once(client, "data")
    expect([...disconnect.subarray(0, 3)]).toEqual([0xe0, disconnect.length - 2, 0x82])
    client.destroy()
  }, 20_000)
})
