// Enhanced authentication (MQTT 5.0 section 4.12), with a method of three steps: "name" -> "nonce" -> "proof" -> "welcome".

import { describe, expect, it } from "vitest"
import { TestBroker, type TestClient } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { writeServerPacket } from "../codecs/mqtt-packet.ts"
import { encodeText } from "../packet/bytes.ts"
import type { AuthPacket } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, ExchangeAttempt, Step } from "../ports/access.ts"

const method = "THREE-STEPS"

interface Means {
  readonly access: Access
  readonly attempts: ExchangeAttempt[]
  /** Answers that wait, where they are late. */
  readonly waiting: (() => void)[]
}

function threeSteps(late = false): Means {
  const attempts: ExchangeAttempt[] = []
  const waiting: (() => void)[] = []
  const access: Access = {
    ...openAccess,
    exchange(name, attempt) {
      if (name !== method) return undefined
      attempts.push(attempt)
      let user = ""
      const step = (data: string | undefined): Step => {
        if (user === "" && data !== undefined) {
          user = data
          return { goesOn: true, data: encodeText("nonce") }
        }
        if (data === "proof")
          return { goesOn: false, decision: { identity: { user, source: "password" } }, data: encodeText("welcome") }
        const decision = { reasonCode: ReasonCode.BadUserNameOrPassword, why: "the proof is wrong" }
        return { goesOn: false, decision, data: undefined }
      }
      return {
        next(data, answer) {
          const text = data === undefined ? undefined : new TextDecoder().decode(data)
          if (late) waiting.push(() => answer(step(text)))
          else answer(step(text))
        },
      }
    },
  }
  return { access, attempts, waiting }
}

function auth(reasonCode: number, data?: string, name: string | undefined = method): Uint8Array {
  const authenticationData = data === undefined ? undefined : encodeText(data)
  return writeServerPacket({ type: "auth", reasonCode, authenticationMethod: name, authenticationData }, 5)
}

const [goOn, again] = [ReasonCode.ContinueAuthentication, ReasonCode.Reauthenticate]

/** CONNECT with the first data. */
function begin(test: TestBroker, name = "ann"): TestClient {
  return test.connect({ clientId: "c", authenticationMethod: method, authenticationData: encodeText(name) })
}

function welcome(test: TestBroker, name = "ann"): TestClient {
  const client = begin(test, name)
  client.send(auth(goOn, "proof"))
  expect(client.connack.reasonCode).toBe(0)
  return client
}

function auths(client: TestClient): { code: number; method: string | undefined; data: string }[] {
  return client.seen
    .filter((packet): packet is AuthPacket => packet.type === "auth")
    .map((packet) => ({
      code: packet.reasonCode,
      method: packet.authenticationMethod,
      data: new TextDecoder().decode(packet.authenticationData),
    }))
}

describe("a login with an Authentication Method", () => {
  it("[MQTT-4.12.0-2], [MQTT-4.12.0-5] goes to and fro by AUTH 0x18, and CONNACK has the method and the last data", () => {
    const test = new TestBroker(threeSteps())
    const client = begin(test)
    expect(auths(client)).toEqual([{ code: 0x18, method, data: "nonce" }])
    expect(client.connection!.phase).toBe("authenticating")
    client.send(auth(goOn, "proof"))
    const { reasonCode, authenticationMethod, authenticationData } = client.connack
    expect([reasonCode, authenticationMethod]).toEqual([0, method])
    expect(new TextDecoder().decode(authenticationData)).toBe("welcome")
    expect(client.connection!.identity).toEqual({ user: "ann", source: "password" })
    client.subscribe("t")
    client.publish("t", "hello")
    expect(client.payloads()).toEqual(["hello"])
  })

  it("counts as work by what the client says, so that a turn has few long ones", () => {
    const test = new TestBroker(threeSteps())
    const cost = (name: string) => {
      const before = test.broker.work
      expect(auths(begin(test, name))).toHaveLength(1)
      return test.broker.work - before
    }
    const [short, long] = [cost("ann"), cost("a".repeat(40_003))]
    expect(short).toBeGreaterThanOrEqual(200)
    expect(long - short).toBeGreaterThanOrEqual(10_000)
  })

  it("is the same when each step takes its time, and nothing is read meanwhile", () => {
    const means = threeSteps(true)
    const test = new TestBroker(means)
    const client = begin(test)
    expect(client.paused).toBe(true)
    means.waiting.shift()!()
    test.settle()
    expect(client.paused).toBe(false)
    client.send(auth(goOn, "proof"), [0xc0, 0]) // PINGREQ comes too early, and waits with the rest
    expect(client.seen.map(({ type }) => type)).toEqual(["auth"])
    means.waiting.shift()!()
    test.settle()
    expect(client.seen.map(({ type }) => type)).toEqual(["auth", "connack", "pingresp"])
  })

  it("[MQTT-4.12.0-4] that fails is answered by CONNACK, without a word why", () => {
    const test = new TestBroker(threeSteps())
    const client = begin(test)
    client.send(auth(goOn, "guess"))
    expect(client.connack).toMatchObject({ reasonCode: 0x86, reasonString: undefined, authenticationData: undefined })
    expect(client.closed).toBe(true)
    expect(test.events.at(-1)).toMatchObject({ event: "client refused", reason: "the proof is wrong [MQTT-3.1.4-2]" })
    expect(test.broker.memory.partial).toBe(0)
  })

  it("[MQTT-4.12.0-1] with a method that there is not is refused with 0x8C", () => {
    const client = new TestBroker(threeSteps()).connect({ clientId: "c", authenticationMethod: "OTHER" })
    expect(client.connack.reasonCode).toBe(0x8c)
  })

  it.each([
    ["[MQTT-3.1.2-30] PINGREQ before CONNACK", Uint8Array.of(0xc0, 0), 0x82],
    [
      "[MQTT-3.1.2-30] a second CONNECT before CONNACK",
      Uint8Array.of(0x10, 13, 0, 4, 77, 81, 84, 84, 5, 2, 0, 0, 0, 0, 0),
      0x82,
    ],
    ["[MQTT-4.12.0-3] AUTH with 0x19 before CONNACK", auth(again, "proof"), 0x82],
    ["3.15.2.1 AUTH with 0x00 before CONNACK", auth(0, "proof"), 0x82],
    ["[MQTT-4.12.0-5] AUTH with another method", auth(goOn, "proof", "OTHER"), 0x82],
    ["3.15.2.2.2 AUTH without a method", Uint8Array.of(0xf0, 2, 0x18, 0), 0x82],
    ["AUTH that is malformed", Uint8Array.of(0xf0, 3, 0x18, 5, 0x15), 0x81],
  ])("ends with %s", (_, bytes, code) => {
    const client = begin(new TestBroker(threeSteps()))
    client.send(bytes)
    expect(client.connack.reasonCode).toBe(code)
    expect(client.closed).toBe(true)
  })

  it("may be given up by DISCONNECT: there is no CONNACK, no session and no will", () => {
    const test = new TestBroker(threeSteps())
    const watcher = test.connect({ clientId: "watcher" })
    watcher.subscribe("gone")
    const will = { topic: "gone", payload: encodeText("x"), qos: 0, retain: false } as const
    const client = test.connect({ authenticationMethod: method, authenticationData: encodeText("ann"), will })
    client.disconnect(ReasonCode.DisconnectWithWill)
    expect(client.closed).toBe(true)
    expect(client.seen.map(({ type }) => type)).toEqual(["auth"])
    expect([test.broker.sessionCount, test.broker.memory.partial]).toEqual([1, 0])
    expect(watcher.payloads()).toEqual([])
  })

  it("ends when the client does not go on within the time for a login, from CONNECT on", () => {
    const test = new TestBroker({ ...threeSteps(), limits: { loginTimeout: 5000 } })
    const client = begin(test)
    test.pass(4)
    expect(client.closed).toBe(false)
    test.pass(1)
    expect(client.connack.reasonCode).toBe(ReasonCode.ServerUnavailable)
    expect(client.closed).toBe(true)
  })

  it("hears no answer that comes after its connection has ended, nor a second one", () => {
    const means = threeSteps(true)
    const test = new TestBroker(means)
    const client = begin(test)
    client.cut()
    expect(means.attempts[0]!.abandoned()).toBe(true)
    means.waiting[0]!()
    test.settle()
    expect(client.seen).toEqual([])
    const other = begin(test)
    means.waiting[1]!()
    means.waiting[1]!()
    test.settle()
    expect(auths(other)).toHaveLength(1)
  })

  it("[MQTT-3.1.2-24] does not send AUTH above the client's Maximum Packet Size: CONNACK 0x95 instead", () => {
    const test = new TestBroker(threeSteps())
    const authenticationData = encodeText("ann")
    const client = test.connect({ maximumPacketSize: 20, authenticationMethod: method, authenticationData })
    expect(client.seen.map(({ type }) => type)).toEqual(["connack"])
    expect(client.connack.reasonCode).toBe(0x95)
  })

  it("[MQTT-4.12.0-7] AUTH of a client that has logged in without a method is a Protocol Error", () => {
    const client = new TestBroker(threeSteps()).connect({ clientId: "c" })
    client.send(auth(again, "ann"))
    expect(client.farewell).toBe(0x82)
  })
})

describe("a client that authenticates again (section 4.12.1)", () => {
  it("goes on with its session, and with its packets meanwhile", () => {
    const means = threeSteps()
    const test = new TestBroker(means)
    const client = welcome(test)
    client.subscribe("t")
    client.seen.length = 0
    client.send(auth(again, "ann"))
    client.publish("t", "meanwhile")
    client.send(auth(goOn, "proof"))
    expect(client.payloads()).toEqual(["meanwhile"])
    expect(auths(client)).toEqual([
      { code: 0x18, method, data: "nonce" },
      { code: 0, method, data: "welcome" },
    ])
    expect(means.attempts.map(({ identity }) => identity?.user)).toEqual([undefined, "ann"])
    client.send(auth(again, "ann"))
    expect([client.closed, auths(client).length]).toEqual([false, 3])
  })

  it.each([
    ["[MQTT-4.12.1-2] fails", [auth(again, "ann"), auth(goOn, "guess")], 0x87],
    ["becomes another user", [auth(again, "bob"), auth(goOn, "proof")], 0x87],
    ["[MQTT-4.12.1-1] names another method", [auth(again, "ann", "OTHER")], 0x82],
    ["goes on with what has not begun", [auth(goOn, "proof")], 0x82],
    ["begins twice", [auth(again, "ann"), auth(again, "ann")], 0x82],
    ["3.15.2.1 sends 0x00, which is the server's", [auth(0, "ann")], 0x82],
  ])("is sent away when it %s, and its will is published", (_, packets, code) => {
    const test = new TestBroker(threeSteps())
    const watcher = test.connect({ clientId: "watcher" })
    watcher.subscribe("gone")
    const will = { topic: "gone", payload: encodeText("x"), qos: 0, retain: false } as const
    const client = test.connect({ authenticationMethod: method, authenticationData: encodeText("ann"), will })
    client.send(auth(goOn, "proof"), ...packets)
    expect(client.farewell).toBe(code)
    expect(client.closed).toBe(true)
    expect(watcher.payloads()).toEqual(["x"])
  })

  it("is sent away by 0x87 when there is no such method any more", () => {
    const means = threeSteps()
    const access = { ...means.access }
    const test = new TestBroker({ access })
    const client = welcome(test)
    access.exchange = () => undefined
    client.send(auth(again, "ann"))
    expect(client.farewell).toBe(0x87)
  })

  it("does not hear more than one AUTH while a step takes its time", () => {
    const means = threeSteps(true)
    const test = new TestBroker(means)
    const client = begin(test)
    const step = () => {
      means.waiting.shift()!()
      test.settle()
    }
    step()
    client.send(auth(goOn, "proof"))
    step()
    client.send(auth(again, "ann"))
    client.send(auth(goOn, "proof"))
    expect(client.farewell).toBe(0x82)
    step()
    expect(auths(client)).toHaveLength(1)
  })
})
