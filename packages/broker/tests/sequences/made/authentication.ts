// Enhanced authentication (MQTT 5.0 section 4.12), with the method of the broker "three steps": name, question, answer, welcome.

import {
  accepted,
  type Bytes,
  type ConnectFields,
  connect,
  disconnect,
  four,
  malformed,
  packet,
  pingreq,
  pingresp,
  plainProperties,
  protocolError,
  publish,
  refused,
  set,
  suback,
  subscribe,
  text,
} from "../bytes.ts"
import { again, c, d, hex, type Row, type Steps, told, waits } from "../row.ts"

export const head = `AUTH: with no method, with one that the broker has, and once more by who is connected.`

const method = "THREE-STEPS"

function named(name: string, data?: string): Bytes {
  return [0x15, ...text(name), ...(data === undefined ? [] : [0x16, ...text(data)])]
}

function auth(code: number, data?: string, name = method): Bytes {
  return packet(0xf0, [code, ...set(5, named(name, data))])
}

/** CONNECT with the method, and the first data. */
function begins(fields: ConnectFields = {}, data: string | undefined = "ann", more: Bytes = []): Bytes {
  return connect(5, { ...fields, properties: [0x17, 0, ...more, ...named(method, data)] })
}

const question = c.gets(auth(0x18, "question"))
const welcome = accepted(5, false, [...plainProperties, ...named(method, "welcome")])
const started: Steps = [c.sends(begins()), question]
const inside: Steps = [...started, c.sends(auth(0x18, "answer")), c.gets(welcome)]

export function rows(): Row[] {
  return [...withoutMethodRows(), ...loginRows(), ...beforeConnackRows(), ...againRows()]
}

/** No broker is asked for a method that it has. */
function withoutMethodRows(): Row[] {
  const note = "ours: this broker has no such method, and says so"
  const methods = ["", "x", "SCRAM-SHA-1", "GS2-KRB5", "PLAIN", "three-steps"]
  const list = ["plain", "three steps"].flatMap((broker) =>
    methods.map((name): Row => {
      const sent = connect(5, { properties: named(name, "data") })
      const where = broker === "plain" ? "no method" : "another method"
      const steps = [c.sends(sent), c.gets(refused(5, 0x8c)), c.ends]
      const on = broker === "plain" ? {} : { broker }
      return {
        name: `Authentication Method ${JSON.stringify(name)}, of a broker with ${where}`,
        version: 5,
        rule: "MQTT-4.12.0-1",
        note,
        ...on,
        steps,
      }
    }),
  )
  const auths = [0x00, 0x18, 0x19].flatMap((code): Row[] => {
    const sent = auth(code, "data")
    const first = [c.sends(connect(5)), c.gets(accepted(5))]
    const where = `AUTH of ${hex(code)} with a method, where CONNECT has none`
    return [
      { name: where, version: 5, rule: "MQTT-4.12.0-7", steps: [...first, c.sends(sent), ...told(5, protocolError)] },
      {
        name: `${where}, of a broker with that method`,
        version: 5,
        rule: "MQTT-4.12.0-7",
        broker: "three steps",
        steps: [...first, c.sends(sent), ...told(5, protocolError)],
      },
      {
        name: `AUTH of ${hex(code)} before CONNECT`,
        version: 5,
        rule: "MQTT-3.1.0-1",
        note: "ours: nothing is said",
        steps: [c.sends(sent), c.ends],
      },
    ]
  })
  return [...list, ...auths]
}

function row(name: string, rule: string, steps: Steps, note?: string): Row {
  return { name, version: 5, rule, note, broker: "three steps", steps }
}

/** It fails with CONNACK, as there was none before. */
function fails(code: number, sent: Bytes): Steps {
  return [...started, c.sends(sent), c.gets(refused(5, code)), c.ends]
}

function loginRows(): Row[] {
  const watched: Steps = [d.joins, d.sends(subscribe(5, 1, [["w", 0]])), d.gets(suback(5, 1, 0))]
  const willed: Steps = [...watched, c.sends(begins({ will: {} })), question]
  const kept: Bytes = [0x11, ...four(100)]
  const found = accepted(5, true, [...plainProperties, ...named(method, "welcome")])
  const session: Steps = [
    c.sends(begins({ clean: false }, "ann", kept)),
    question,
    c.sends(auth(0x18, "answer")),
    c.gets(welcome),
    c.cuts,
  ]
  const bad = "ours: 0x86 of a method whose data are wrong"
  return [
    row("a login by AUTH", "MQTT-4.12.0-2", inside),
    row("after it the client is served", "MQTT-4.12.0-5", [...inside, c.sends(pingreq), c.gets(pingresp)]),
    row("a client without a method, of a broker that has one", "MQTT-4.12.0-6", [
      c.sends(connect(5)),
      c.gets(accepted(5)),
    ]),
    row("a wrong answer", "MQTT-4.12.0-4", fails(0x86, auth(0x18, "guess")), bad),
    row("no answer", "MQTT-4.12.0-4", fails(0x86, auth(0x18)), bad),
    row("no data in CONNECT", "MQTT-4.12.0-4", [c.sends(begins({}, "")), c.gets(refused(5, 0x86)), c.ends], bad),
    row("another method in AUTH", "MQTT-4.12.0-5", fails(protocolError, auth(0x18, "answer", "OTHER"))),
    row(
      "no method in AUTH",
      "3.15.2.2.2",
      fails(protocolError, packet(0xf0, [0x18, ...set(5, [0x16, ...text("answer")])])),
    ),
    row("AUTH without properties", "3.15.2.2.2", fails(protocolError, [0xf0, 1, 0x18])),
    row("AUTH of two bytes", "3.15.2.2.2", fails(protocolError, [0xf0, 0])),
    row(
      "AUTH with its method twice",
      "3.15.2.2.2",
      fails(protocolError, packet(0xf0, [0x18, ...set(5, [...named(method), ...named(method)])])),
    ),
    row(
      "AUTH with its data twice",
      "3.15.2.2.3",
      fails(protocolError, packet(0xf0, [0x18, ...set(5, [...named(method, "answer"), 0x16, ...text("answer")])])),
    ),
    row(
      "AUTH with a property that is not its own",
      "2.2.2.2",
      fails(malformed, packet(0xf0, [0x18, ...set(5, [...named(method, "answer"), 0x21, 0, 1])])),
    ),
    row("AUTH with flags", "MQTT-3.15.1-1", fails(malformed, [0xf1, ...auth(0x18, "answer").slice(1)])),
    row("AUTH that ends too early", "MQTT-4.13.1-1", fails(malformed, packet(0xf0, auth(0x18, "answer").slice(2, -1)))),
    row(
      "AUTH with a byte after its end",
      "MQTT-4.13.1-1",
      fails(malformed, packet(0xf0, [...auth(0x18, "answer").slice(2), 0])),
    ),
    row("AUTH of 0x19 before CONNACK", "MQTT-4.12.0-3", fails(protocolError, auth(0x19, "answer"))),
    row("AUTH of 0x00 before CONNACK", "MQTT-4.12.0-3", fails(protocolError, auth(0x00, "answer"))),
    row("AUTH of 0x80 before CONNACK", "MQTT-3.15.2-1", fails(protocolError, auth(0x80, "answer"))),
    row("AUTH with a Reason String and User Properties", "3.15.2.2.4", [
      ...started,
      c.sends(
        packet(0xf0, [
          0x18,
          ...set(5, [...named(method, "answer"), 0x1f, ...text("why"), 0x26, ...text("k"), ...text("v")]),
        ]),
      ),
      c.gets(welcome),
    ]),
    row(
      "a login that fails has no will",
      "MQTT-3.1.2-7",
      [...willed, c.sends(auth(0x18, "guess")), c.gets(refused(5, 0x86)), c.ends],
      bad,
    ),
    row("a login that is given up has no will", "MQTT-3.1.2-7", [...willed, c.sends(disconnect(5, 4)), c.ends]),
    row("a login that the network ends has no will", "MQTT-3.1.2-7", [...willed, c.cuts]),
    row(
      "a login that takes longer than it may",
      "3.1.4",
      [...started, waits(21), c.gets(refused(5, 0x88)), c.ends],
      "ours: 20 seconds",
    ),
    row("its session is found again", "MQTT-3.2.2-3", [
      ...session,
      again.sends(begins({ clean: false }, "ann", kept)),
      again.gets(auth(0x18, "question")),
      again.sends(auth(0x18, "answer")),
      again.gets(found),
    ]),
    row("a login that has not ended takes nothing over", "MQTT-3.1.4-3", [
      ...inside,
      again.sends(begins()),
      again.gets(auth(0x18, "question")),
      c.sends(pingreq),
      c.gets(pingresp),
    ]),
    row(
      "another user may not have its session",
      "5.4.2",
      [
        ...session,
        again.sends(begins({ clean: false }, "bob", kept)),
        again.gets(auth(0x18, "question")),
        again.sends(auth(0x18, "answer")),
        again.gets(refused(5, 0x85)),
        again.ends,
      ],
      "ours: a Client Identifier is of one user",
    ),
    row(
      "Maximum Packet Size 20: AUTH does not fit",
      "MQTT-3.1.2-24",
      [c.sends(begins({}, "ann", [0x27, ...four(20)])), c.gets(refused(5, 0x95)), c.ends],
      "ours: CONNACK of 0x95",
    ),
  ]
}

/** [MQTT-3.1.2-30]: AUTH and DISCONNECT only, until CONNACK has come. */
function beforeConnackRows(): Row[] {
  const rule = "MQTT-3.1.2-30"
  const packets: readonly (readonly [name: string, sent: Bytes])[] = [
    ["PINGREQ", pingreq],
    ["PUBLISH", publish(5, "a", "x")],
    ["PUBLISH of QoS 1", publish(5, "a", "x", { qos: 1 })],
    ["SUBSCRIBE", subscribe(5, 1, [["a", 0]])],
    ["PUBACK", [0x40, 2, 0, 1]],
    ["a second CONNECT", connect(5)],
    ["CONNACK", accepted(5, false, [])],
    ["PINGRESP", pingresp],
  ]
  const list = packets.map(([name, sent]) => row(`${name} before CONNACK`, rule, fails(protocolError, sent)))
  return [
    ...list,
    row("a packet of type 0 before CONNACK", "2.1.2", fails(malformed, [0, 0])),
    row("DISCONNECT before CONNACK", rule, [...started, c.sends(disconnect(5)), c.ends]),
  ]
}

/** Section 4.12.1. */
function againRows(): Row[] {
  const asked: Steps = [...inside, c.sends(auth(0x19, "ann")), question]
  const done: Steps = [c.sends(auth(0x18, "answer")), c.gets(auth(0x00, "welcome"))]
  const wrong = (...sent: readonly Bytes[]): Steps => [...inside, c.sends(...sent), ...told(5, protocolError)]
  return [
    row("once more", "4.12.1", [...asked, ...done]),
    row("twice more", "4.12.1", [...asked, ...done, c.sends(auth(0x19, "ann")), question, ...done]),
    row("other packets go on meanwhile", "4.12.1", [
      ...asked,
      c.sends(pingreq, subscribe(5, 1, [["a", 0]])),
      c.gets(pingresp, suback(5, 1, 0)),
      ...done,
    ]),
    row(
      "a wrong answer",
      "MQTT-4.12.1-2",
      [...asked, c.sends(auth(0x18, "guess")), ...told(5, 0x87)],
      "ours: 0x87; DISCONNECT has no 0x86",
    ),
    row(
      "another user",
      "MQTT-4.12.1-2",
      [...inside, c.sends(auth(0x19, "bob")), question, c.sends(auth(0x18, "answer")), ...told(5, 0x87)],
      "ours: who has a session is who has begun it",
    ),
    row("another method", "MQTT-4.12.1-1", wrong(auth(0x19, "ann", "OTHER"))),
    row("no method", "3.15.2.2.2", wrong([0xf0, 2, 0x19, 0])),
    row("AUTH of 0x18 that nothing asked for", "4.12.1", wrong(auth(0x18, "answer"))),
    row("AUTH of 0x00", "4.12.1", wrong(auth(0x00, "ann"))),
    row("AUTH of 0x19 before the last has ended", "4.12.1", [
      ...asked,
      c.sends(auth(0x19, "ann")),
      ...told(5, protocolError),
    ]),
    row("DISCONNECT meanwhile", "3.14.4", [...asked, c.sends(disconnect(5)), c.ends]),
    row("a second CONNECT with the method", "MQTT-3.1.0-2", wrong(begins())),
  ].map((one) => ({ ...one, name: `of who is connected: ${one.name}` }))
}
