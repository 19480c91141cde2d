// What a lane keeps of messages that must wait, at its bound and one past it.

import { describe, expect, it } from "vitest"
import { MqttClient } from "../mqtt-client/client.ts"
import { MqttClientError } from "../mqtt-client/errors.ts"
import type { MessageCame } from "../mqtt-client/events.ts"
import { Lane, mostWaiting } from "./lane.ts"
import { newLaneMemory } from "./lane-memory.ts"
import { TopicMap } from "./topics.ts"

/** A client that a broker has let in, of whose messages it takes one at a time (Receive Maximum, MQTT 5.0 section 3.2.2.3.3). */
function connected(): MqttClient {
  const options = { clientId: "c", byHand: true, maximumInFlight: 0xffff, maximumWaiting: Number.POSITIVE_INFINITY }
  const client = new MqttClient(options, () => undefined)
  client.connect(0)
  client.receive(Uint8Array.of(0x20, 6, 0, 0, 3, 0x21, 0, 1), 0)
  expect(client.state).toBe("connected")
  client.take()
  return client
}

function openLane(): { lane: Lane; to: MqttClient } {
  const to = connected()
  const lane = new Lane({
    map: new TopicMap([{ filter: "#", direction: "out", qos: 2 }], "out"),
    from: connected(),
    to,
    origin: "here",
    memory: newLaneMemory(),
    attempts: 10,
    window: 100,
    onDropped: () => expect.unreachable(),
  })
  lane.begin()
  // From now on others wait.
  lane.message(messageOf(1, 0))
  to.take()
  return { lane, to }
}

/** One that takes `bytes` while it waits: 200 and 3 of its topic, and the payload. */
function messageOf(packetId: number, bytes: number): MessageCame {
  const payload = new Uint8Array(Math.max(0, bytes - 203))
  return { event: "message", topic: "t", payload, qos: 1, retain: false, dup: false, packetId, properties: [] }
}

describe("messages that wait", () => {
  it("as many as their bound are kept, and go in their order", () => {
    const { lane, to } = openLane()
    const [half, rest] = [mostWaiting / 2, mostWaiting / 2]
    lane.message(messageOf(2, half))
    lane.message(messageOf(3, rest))
    expect(to.waiting).toBe(0)
    for (const packetId of [1, 2]) {
      to.receive(Uint8Array.of(0x40, 2, 0, packetId), 0)
      expect(
        lane.answered({ event: "acknowledgement", type: "puback", packetId, reasonCode: 0, reasonString: "" }),
      ).toBe("told")
      lane.goOn()
      expect(to.awaits(packetId + 1)).toBe("puback")
      expect(to.take().length).toBeGreaterThan(half - 300)
    }
    // All of it is free again.
    lane.message(messageOf(4, mostWaiting))
  })

  it("one byte more is the end of the connection, and says what to do", () => {
    const { lane } = openLane()
    lane.message(messageOf(2, mostWaiting - 300))
    expect(() => lane.message(messageOf(3, 301))).toThrow(
      expect.objectContaining({
        kind: "limit",
        message: "1 messages wait to be handed on, 16777216 bytes: let fewer be unacknowledged",
      }),
    )
  })

  it("with properties those count, too", () => {
    const { lane } = openLane()
    const properties = [{ id: 0x26, value: ["a", "b"] as [string, string] }]
    expect(() => lane.message({ ...messageOf(2, mostWaiting - 199), properties })).toThrow(MqttClientError)
    lane.begin()
    lane.message({ ...messageOf(2, mostWaiting - 200), properties })
  })
})
