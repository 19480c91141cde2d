// MQTT 5.0 section 4.11: a server may send its clients to another one.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

const server = "broker-2.example:8883 broker-3.example"

describe("always", () => {
  const redirect = { server, when: "always" } as const

  it("every CONNECT is refused with Use another server and the Server Reference; no session is made", () => {
    const test = new TestBroker({ redirect })
    const client = test.connect()
    expect(client.connack).toMatchObject({ reasonCode: ReasonCode.UseAnotherServer, serverReference: server })
    expect([client.closed, test.broker.sessionCount]).toEqual([true, 0])
  })

  it("MQTT 3.1.1 has no word for it: return code 3", () => {
    const client = new TestBroker({ redirect }).connect({ protocolVersion: 4 })
    expect([client.connack.reasonCode, client.closed]).toEqual([3, true])
  })

  it("[MQTT-3.1.2-24] a client with less room than the reference takes gets the Reason Code alone", () => {
    const client = new TestBroker({ redirect }).connect({ maximumPacketSize: 20 })
    expect(client.connack.reasonCode).toBe(ReasonCode.UseAnotherServer)
    expect(client.connack.serverReference).toBeUndefined()
  })
})

describe("closing", () => {
  it("who is connected gets both in DISCONNECT when the broker closes, and not before", () => {
    const test = new TestBroker({ redirect: { server, when: "closing" } })
    const client = test.connect()
    expect(client.connack.reasonCode).toBe(0)
    test.broker.close(test.now)
    expect(client.seen.at(-1)).toMatchObject({
      type: "disconnect",
      reasonCode: ReasonCode.UseAnotherServer,
      serverReference: server,
    })
  })

  it("without a reference it is Server shutting down", () => {
    const test = new TestBroker()
    const client = test.connect()
    test.broker.close(test.now)
    expect(client.seen.at(-1)).toMatchObject({ type: "disconnect", reasonCode: ReasonCode.ServerShuttingDown })
    expect(client.seen.at(-1)).not.toHaveProperty("serverReference", expect.anything())
  })
})
