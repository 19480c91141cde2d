// What a broker need not offer (MQTT 5.0 section 3.2.2.3), Maximum Packet Size of clients, payload formats, other servers.

import {
  accepted,
  type Bytes,
  connect,
  farewell,
  four,
  malformed,
  pingreq,
  pingresp,
  plainProperties,
  puback,
  publish,
  pubrec,
  refused,
  suback,
  subscribe,
  text,
  times,
  unsuback,
  unsubscribe,
  type Version,
  type Wish,
} from "../bytes.ts"
import { both, by, c, d, type Row, type Steps, told } from "../row.ts"

export const head = `Brokers that do not offer everything; what fits a client's Maximum Packet Size; payloads that are no text; another server.`

export function rows(): Row[] {
  return [
    ...both.flatMap(qosRows),
    ...both.flatMap(retainRows),
    ...subscriptionRows(),
    ...sizeRows(),
    ...wordRows(),
    ...both.flatMap(formatRows),
    ...serverRows(),
  ]
}

/** The CONNACK of a broker without something, and the steps after it. */
function on(version: Version, lacks: Bytes, ...steps: Steps): Steps {
  const properties = [...plainProperties, ...lacks]
  return [c.sends(connect(version, { properties: [0x17, 0] })), c.gets(accepted(version, false, properties)), ...steps]
}

function qosRows(version: Version): Row[] {
  return [0, 1].flatMap((most): Row[] => {
    const lacks = [0x24, most]
    const broker = `QoS ${most}`
    const row = (name: string, rule: string, steps: Steps, note?: string): Row => ({
      name: `${name}, where ${most} is the most`,
      version,
      rule,
      note,
      broker,
      steps,
    })
    const ours = version === 4 ? "ours: MQTT 3.1.1 has no word for it" : undefined
    const publishes = [0, 1, 2].map((qos) => {
      const sent = c.sends(publish(version, "a", "x", { qos }))
      const good = qos === 0 ? [] : [c.gets(puback(version, 1, 0x10))]
      const steps = on(version, lacks, sent, ...(qos > most ? told(version, 0x9b) : good))
      return row(`PUBLISH of QoS ${qos}`, by(version, "MQTT-3.2.2-11", "3.3.1.2"), steps, ours)
    })
    const subscribes = [0, 1, 2].map((qos) => {
      const steps = on(
        version,
        lacks,
        c.sends(subscribe(version, 1, [["a", qos]])),
        c.gets(suback(version, 1, Math.min(qos, most))),
      )
      return row(`SUBSCRIBE at QoS ${qos}`, by(version, "MQTT-3.2.2-10", "MQTT-3.8.4-5"), steps)
    })
    const wills = [0, 1, 2].map((qos) => {
      const sent = c.sends(connect(version, { will: { qos } }))
      const bad = version === 5 ? [c.gets(refused(5, 0x9b)), c.ends] : [c.ends]
      const good = [c.gets(accepted(version, false, [...plainProperties, ...lacks]))]
      return row(
        `a will of QoS ${qos}`,
        by(version, "MQTT-3.2.2-12", "3.1.2.6"),
        [sent, ...(qos > most ? bad : good)],
        ours,
      )
    })
    return [...publishes, ...subscribes, ...wills]
  })
}

function retainRows(version: Version): Row[] {
  const lacks = [0x25, 0]
  const row = (name: string, rule: string, steps: Steps): Row => ({
    name: `${name}, where nothing is retained`,
    version,
    rule,
    broker: "nothing retained",
    steps,
  })
  const will = c.sends(connect(version, { will: { retain: true } }))
  const plainWill = c.sends(connect(version, { will: {} }))
  const subscribed: Steps = [c.sends(subscribe(version, 1, [["a", 0]])), c.gets(suback(version, 1, 0))]
  const sent = publish(version, "a", "x")
  return [
    row(
      "PUBLISH with RETAIN",
      by(version, "MQTT-3.2.2-14", "3.3.1.3"),
      on(version, lacks, c.sends(publish(version, "a", "x", { retain: true })), ...told(version, 0x9a)),
    ),
    row(
      "PUBLISH without RETAIN",
      by(version, "3.2.2.3.5", "3.3.1.3"),
      on(version, lacks, ...subscribed, c.sends(sent), c.gets(sent)),
    ),
    row("a will with RETAIN", by(version, "MQTT-3.2.2-13", "3.1.2.7"), [
      will,
      ...(version === 5 ? [c.gets(refused(5, 0x9a))] : []),
      c.ends,
    ]),
    row("a will without RETAIN", by(version, "3.2.2.3.5", "3.1.2.7"), [
      plainWill,
      c.gets(accepted(version, false, [...plainProperties, ...lacks])),
    ]),
  ]
}

/** Sections 3.2.2.3.11 to 13; of MQTT 3.1.1 SUBACK says that it failed. */
function subscriptionRows(): Row[] {
  const kinds: readonly (readonly [
    broker: string,
    id: number,
    section: string,
    code: number,
    no: readonly Wish[],
    yes: readonly Wish[],
  ])[] = [
    [
      "no wildcards",
      0x28,
      "3.2.2.3.11",
      0xa2,
      [
        ["#", 0],
        ["a/+", 0],
        ["$share/g/+", 0],
      ],
      [
        ["a", 0],
        ["$share/g/a", 0],
      ],
    ],
    [
      "no sharing",
      0x2a,
      "3.2.2.3.13",
      0x9e,
      [
        ["$share/g/a", 0],
        ["$share/g/#", 1],
      ],
      [
        ["a", 0],
        ["#", 1],
      ],
    ],
  ]
  const list = kinds.flatMap(([broker, id, section, code, no, yes]) =>
    both.flatMap((version) => {
      const row = (name: string, steps: Steps): Row => ({
        name: `${name}, where there are ${broker}`,
        version,
        rule: by(version, section, id === 0x28 ? "MQTT-3.8.3-2" : "MQTT-3.8.4-5"),
        broker,
        steps,
      })
      const refuses = (wish: Wish): Steps => {
        const sent = c.sends(subscribe(version, 1, [wish]))
        return on(version, [id, 0], sent, ...(version === 5 ? told(5, code) : [c.gets(suback(4, 1, 0x80))]))
      }
      const accepts = (wish: Wish): Steps =>
        on(version, [id, 0], c.sends(subscribe(version, 1, [wish])), c.gets(suback(version, 1, wish[1])))
      const both2 = on(
        version,
        [id, 0],
        c.sends(subscribe(version, 1, [yes[0]!, no[0]!])),
        ...(version === 5 ? told(5, code) : [c.gets(suback(4, 1, yes[0]![1], 0x80))]),
      )
      return [
        ...no.map((wish) => row(`SUBSCRIBE to ${wish[0]}`, refuses(wish))),
        ...yes.map((wish) => row(`SUBSCRIBE to ${wish[0]}`, accepts(wish))),
        row(`SUBSCRIBE to ${yes[0]![0]} and ${no[0]![0]}`, both2),
      ]
    }),
  )
  const identifiers = (properties: Bytes, ...end: Steps): Row => ({
    name: `SUBSCRIBE ${properties.length > 0 ? "with" : "without"} a Subscription Identifier, where there are no identifiers`,
    version: 5,
    rule: "3.2.2.3.12",
    broker: "no identifiers",
    steps: on(5, [0x29, 0], c.sends(subscribe(5, 1, [["a", 0]], properties)), ...end),
  })
  return [...list, identifiers([0x0b, 7], ...told(5, 0xa1)), identifiers([], c.gets(suback(5, 1, 0)))]
}

/** [MQTT-3.1.2-24], [MQTT-3.1.2-25]: the client's Maximum Packet Size. */
function sizeRows(): Row[] {
  const joins = (size: number): Steps => [
    c.sends(connect(5, { properties: [0x17, 0, 0x27, ...four(size)] })),
    c.gets(accepted(5)),
  ]
  const row = (name: string, rule: string, size: number, ...steps: Steps): Row => ({
    name: `Maximum Packet Size ${size}: ${name}`,
    version: 5,
    rule,
    steps: [...joins(size), ...steps],
  })
  const names = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`)
  // SUBACK and UNSUBACK have five bytes beside their Reason Codes.
  const sub = (count: number) =>
    c.sends(
      subscribe(
        5,
        1,
        names(count).map((name) => [name, 0] as const),
      ),
    )
  const unsub = (count: number) => c.sends(unsubscribe(5, 1, names(count)))
  const listens: Steps = [c.sends(subscribe(5, 1, [["a", 1]])), c.gets(suback(5, 1, 1))]
  // PUBLISH has six bytes beside a payload, eight at QoS 1.
  const comes = (qos: number, length: number, fits: boolean): Steps => {
    const sent = publish(5, "a", times(length, 0x78), { qos })
    return [
      ...listens,
      d.joins,
      d.sends(sent),
      ...(qos > 0 ? [d.gets(puback(5, 1))] : []),
      ...(fits ? [c.gets(sent)] : []),
    ]
  }
  const after: Steps = [d.sends(publish(5, "a", "y", { qos: 1, id: 2 })), d.gets(puback(5, 2))]
  const ours = { note: "ours: a client that cannot be answered is not served on" }
  const tooLarge = told(5, 0x95)
  return [
    row("SUBACK of 16 bytes", "MQTT-3.1.2-24", 16, sub(11), c.gets(suback(5, 1, ...times(11, 0)))),
    { ...row("SUBACK of 17 bytes", "MQTT-3.1.2-24", 16, sub(12), ...tooLarge), ...ours },
    row("UNSUBACK of 16 bytes", "MQTT-3.1.2-24", 16, unsub(11), c.gets(unsuback(5, 1, ...times(11, 0x11)))),
    { ...row("UNSUBACK of 17 bytes", "MQTT-3.1.2-24", 16, unsub(12), ...tooLarge), ...ours },
    row("PUBLISH of QoS 0 of 16 bytes", "MQTT-3.1.2-24", 16, ...comes(0, 10, true)),
    row("PUBLISH of QoS 0 of 17 bytes", "MQTT-3.1.2-25", 16, ...comes(0, 11, false)),
    row("PUBLISH of QoS 1 of 16 bytes", "MQTT-3.1.2-24", 16, ...comes(1, 8, true)),
    row(
      "PUBLISH of QoS 1 of 17 bytes, and the next",
      "MQTT-3.1.2-25",
      16,
      ...comes(1, 9, false),
      ...after,
      c.gets(publish(5, "a", "y", { qos: 1, id: 2 })),
    ),
    row(
      "PINGRESP and acknowledgements fit",
      "MQTT-3.1.2-24",
      16,
      c.sends(pingreq, publish(5, "b", "x", { qos: 1, id: 9 })),
      c.gets(pingresp, puback(5, 9, 0x10)),
    ),
    row(
      "a retained message that does not fit",
      "MQTT-3.1.2-25",
      16,
      d.joins,
      d.sends(publish(5, "a", times(20, 0x78), { retain: true })),
      ...listens,
    ),
  ].map((one) =>
    one.name.includes("and the next") ? { ...one, note: "ours: Packet Identifiers are not used again at once" } : one,
  )
}

/** Section 3.3.2.3.2: a receiver MAY look. */
function formatRows(version: Version): Row[] {
  if (version === 4) return []
  const bad = [0x61, 0xff]
  const list: Row[] = []
  for (const checked of [true, false]) {
    const where = checked ? "looked at" : "not looked at"
    const broker = checked ? "text checked" : undefined
    const row = (name: string, steps: Steps, rule = "3.3.2.3.2"): Row => ({
      name: `${name}, ${where}`,
      version: 5,
      rule,
      broker,
      steps,
    })
    const sends = (qos: number, payload: Bytes, indicator: number): Steps => {
      const heard: Steps = [d.joins, d.sends(subscribe(5, 1, [["a", 0]])), d.gets(suback(5, 1, 0)), c.joins]
      const no = checked && indicator === 1 && payload === bad
      const sent = c.sends(publish(5, "a", payload, { qos, properties: [0x01, indicator] }))
      const code = no ? 0x99 : 0
      const answer = qos === 0 ? [] : [c.gets(qos === 1 ? puback(5, 1, code) : pubrec(5, 1, code))]
      const copy = no ? [] : [d.gets(publish(5, "a", payload, { properties: [0x01, indicator] }))]
      return [...heard, sent, ...answer, ...copy]
    }
    for (const qos of [0, 1, 2])
      list.push(row(`a payload of QoS ${qos} that says it is text, and is not`, sends(qos, bad, 1)))
    list.push(row("a payload that says it is text, and is", sends(1, text("ä").slice(2), 1)))
    list.push(row("a payload that says nothing of itself", sends(1, bad, 0)))
    const will = c.sends(connect(5, { will: { payload: bad, properties: [0x01, 1] } }))
    list.push(
      row(
        "a will that says it is text, and is not",
        [will, ...(checked ? [c.gets(refused(5, 0x99)), c.ends] : [c.gets(accepted(5))])],
        "3.1.3.2.3",
      ),
    )
  }
  return list
}

/** Section 4.11. */
function serverRows(): Row[] {
  const broker = "another server"
  const reference = [0x1c, ...text("b.example:8883")]
  return [
    {
      name: "another server is to be used",
      version: 5,
      rule: "4.11",
      broker,
      steps: [c.sends(connect(5)), c.gets(refused(5, 0x9c, reference)), c.ends],
    },
    {
      name: "another server is to be used",
      version: 4,
      rule: "3.2.2.3",
      note: "ours: Server unavailable",
      broker,
      steps: [c.sends(connect(4)), c.gets(refused(4, 3)), c.ends],
    },
    {
      name: "a malformed CONNECT is told so first",
      version: 5,
      rule: "MQTT-3.1.4-1",
      broker,
      steps: [c.sends(connect(5, { flags: 3 })), c.gets(refused(5, malformed)), c.ends],
    },
  ]
}

/** [MQTT-3.1.2-29]: whether there may be Reason Strings, and that they fit. */
function wordRows(): Row[] {
  const levels = Array.from({ length: 33 }, () => "a").join("/")
  const small = (size: number): Bytes => (size === 0 ? [] : [0x27, ...four(size)])
  const joins = (words: number, size: number): Steps => [
    c.sends(connect(5, { properties: [0x17, words, ...small(size)] })),
    c.gets(accepted(5)),
  ]
  const asks: readonly (readonly [name: string, rule: string, sent: Bytes, answer: Bytes])[] = [
    ["PUBACK of 0x87", "MQTT-3.4.2-2", publish(5, "$a", "x", { qos: 1 }), puback(5, 1, 0x87)],
    ["PUBREC of 0x87", "MQTT-3.5.2-2", publish(5, "$a", "x", { qos: 2 }), pubrec(5, 1, 0x87)],
    ["SUBACK of 0x8F", "MQTT-3.9.2-1", subscribe(5, 1, [[levels, 0]]), suback(5, 1, 0x8f)],
    ["DISCONNECT of 0x81", "MQTT-3.14.2-3", [0xc1, 0], farewell(malformed)],
  ]
  return asks.flatMap(([name, rule, sent, answer]) =>
    [0, 16, 20, 40].flatMap((size) =>
      [0, 1].map((words): Row => {
        const end = answer[0] === 0xe0 ? [c.ends] : []
        return {
          name: `${name}, Request Problem Information ${words}${size > 0 ? `, Maximum Packet Size ${size}` : ""}`,
          version: 5,
          rule: size > 0 ? rule : "MQTT-3.1.2-29",
          note:
            words === 0 && answer[0] !== 0xe0
              ? "without a Reason String"
              : "with a Reason String or without, as it fits",
          steps: [...joins(words, size), c.sends(sent), c.gets(answer), ...end],
        }
      }),
    ),
  )
}
