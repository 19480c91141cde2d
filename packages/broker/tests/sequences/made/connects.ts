// CONNECT in every form (MQTT 5.0, 3.1.1 and 3.1, section 3.1).

import {
  accepted,
  type Bytes,
  type ConnectFields,
  connect,
  connectBody,
  four,
  malformed,
  packet,
  pingreq,
  pingresp,
  plainProperties,
  protocolError,
  refused,
  set,
  text,
  times,
  two,
  type Version,
} from "../bytes.ts"
import { all, both, by, c, d, type Row, type Steps, told } from "../row.ts"

export const head = `CONNECT: Protocol Names and Versions, all Connect Flags, Client Identifiers, wills, logins, and its answer.`

export function rows(): Row[] {
  return [
    ...all.flatMap((version) => [
      ...flagRows(version),
      ...loginRows(version),
      ...willRows(version),
      ...idRows(version),
    ]),
    ...protocolRows(),
    ...mqtt31Rows(),
    ...both.flatMap(secondRows),
    ...answerRows(),
    ...smallRows(),
  ]
}

/** [MQTT-3.1.4-1] MQTT 5.0 MAY say why; 3.1.1 closes "without sending a CONNACK". */
function wrong(version: Version, sent: Bytes, code = malformed): Steps {
  return [c.sends(sent), ...(version === 5 ? [c.gets(refused(5, code))] : []), c.ends]
}

function right(version: Version, sent: Bytes, properties: Bytes = plainProperties): Steps {
  return [c.sends(sent), c.gets(accepted(version, false, properties))]
}

/** All 256 Connect Flags, with the fields that they ask for. */
function flagRows(version: Version): Row[] {
  return Array.from({ length: 256 }, (_, flags): Row => {
    const will = (flags & 4) !== 0
    const fields = [
      ...(will ? [...set(version), ...text("w"), ...text("x")] : []),
      ...((flags & 0x80) !== 0 ? text("u") : []),
      ...((flags & 0x40) !== 0 ? text("p") : []),
    ]
    const sent = connect(version, { flags, more: fields })
    const fault = flagFault(version, flags)
    const name = `Connect Flags ${flags.toString(2).padStart(8, "0")}`
    if (fault === undefined)
      return { name, version, rule: by(version, "MQTT-3.1.4-5", "MQTT-3.1.4-4", "3.1"), steps: right(version, sent) }
    const note =
      version === 3 ? "ours: MQTT 3.1 says that it is not used, or not valid, and not what becomes of it" : undefined
    return { name, version, rule: fault, note, steps: wrong(version, sent) }
  })
}

/** The statement that these flags break. */
function flagFault(version: Version, flags: number): string | undefined {
  const will = (flags & 4) !== 0
  const qos = (flags >> 3) & 3
  if ((flags & 1) !== 0) return by(version, "MQTT-3.1.2-3", "MQTT-3.1.2-3", "3.1")
  if (!will && qos !== 0) return by(version, "MQTT-3.1.2-11", "MQTT-3.1.2-13", "3.1")
  if (qos === 3) return by(version, "MQTT-3.1.2-12", "MQTT-3.1.2-14", "3.1")
  if (!will && (flags & 0x20) !== 0) return by(version, "MQTT-3.1.2-13", "MQTT-3.1.2-15", "3.1")
  if (version !== 5 && (flags & 0xc0) === 0x40) return by(version, "", "MQTT-3.1.2-22", "3.1")
  return undefined
}

/** What the flags say is there, and what is. */
function loginRows(version: Version): Row[] {
  const row = (name: string, rule: string, steps: Steps, note?: string): Row => ({ name, version, rule, note, steps })
  const list = [
    row(
      "User Name of no letters",
      by(version, "3.1.3.5", "3.1.3.4", "3.1"),
      right(version, connect(version, { name: "" })),
    ),
    row(
      "Password of no bytes",
      by(version, "3.1.3.6", "3.1.3.5", "3.1"),
      right(version, connect(version, { name: "u", password: "" })),
    ),
    row(
      "User Name that no flag says",
      by(version, "MQTT-3.1.2-16", "MQTT-3.1.2-18", "3.1"),
      wrong(version, connect(version, { more: text("u") })),
    ),
    row(
      "Password that no flag says",
      by(version, "MQTT-3.1.2-18", "MQTT-3.1.2-20", "3.1"),
      wrong(version, connect(version, { name: "u", more: text("p") })),
    ),
    row(
      "Keep Alive 65,535",
      by(version, "3.1.2.10", "3.1.2.10", "3.1"),
      right(version, connect(version, { keepAlive: 65_535 })),
    ),
    row("Keep Alive 1", by(version, "3.1.2.10", "3.1.2.10", "3.1"), right(version, connect(version, { keepAlive: 1 }))),
  ]
  if (version === 3) return list
  return [
    ...list,
    row(
      "User Name that is not there",
      by(version, "MQTT-3.1.2-17", "MQTT-3.1.2-19"),
      wrong(version, connect(version, { flags: 0x82 })),
    ),
    row(
      "Password that is not there",
      by(version, "MQTT-3.1.2-19", "MQTT-3.1.2-21"),
      wrong(version, connect(version, { flags: 0xc2, more: text("u") })),
    ),
    row(
      "User Name and Password that are not there",
      by(version, "MQTT-3.1.2-17", "MQTT-3.1.2-19"),
      wrong(version, connect(version, { flags: 0xc2 })),
    ),
  ]
}

function willRows(version: Version): Row[] {
  const section = by(version, "MQTT-3.1.3-11", "MQTT-3.1.3-10", "3.1")
  const wildcard = by(version, "MQTT-4.7.0-1", "MQTT-4.7.1-1", "3.1")
  const row = (name: string, rule: string, steps: Steps, note?: string): Row => ({ name, version, rule, note, steps })
  const fields = (will: ConnectFields["will"]) => connect(version, { will })
  const names = ["#", "+", "a/#", "a/+/b", "a+b"].map((topic) =>
    row(`Will Topic ${JSON.stringify(topic)}`, wildcard, wrong(version, fields({ topic }))),
  )
  const dollar = version === 5 ? [c.gets(refused(5, 0x87)), c.ends] : [c.gets(refused(version, 5)), c.ends]
  return [
    ...names,
    row(
      "Will Topic of no letters",
      by(version, "MQTT-4.7.3-1", "MQTT-4.7.3-1", "3.1"),
      wrong(version, fields({ topic: "" })),
    ),
    row("Will Topic /", section, right(version, fields({ topic: "/" }))),
    row("Will Payload of no bytes", by(version, "3.1.3.4", "3.1.3.3", "3.1"), right(version, fields({ payload: "" }))),
    row(
      "Will Payload of 65,535 bytes",
      by(version, "3.1.3.4", "3.1.3.3", "3.1"),
      right(version, fields({ payload: times(65_535, 0x78) })),
    ),
    row(
      "will that is not there",
      by(version, "MQTT-3.1.2-9", "MQTT-3.1.2-9", "3.1"),
      wrong(version, connect(version, { flags: 6 })),
    ),
    row(
      "will without payload",
      by(version, "MQTT-3.1.2-9", "MQTT-3.1.2-9", "3.1"),
      wrong(version, connect(version, { flags: 6, more: [...set(version), ...text("w")] })),
    ),
    row(
      "Will Topic $SYS/x",
      "4.7.2",
      [c.sends(fields({ topic: "$SYS/x" })), ...dollar],
      "ours: topics that begin with $ are the broker's",
    ),
  ]
}

function idRows(version: Version): Row[] {
  const row = (name: string, rule: string, steps: Steps, note?: string): Row => ({ name, version, rule, note, steps })
  const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
  const must = by(version, "MQTT-3.1.3-5", "MQTT-3.1.3-5", "3.1")
  const good = [letters.slice(0, 23), letters.slice(23, 46), letters.slice(46), "0", "z"]
  const rejected = by(version, "MQTT-3.1.3-8", "MQTT-3.1.3-9", "3.1")
  const no = (sent: Bytes) => [c.sends(sent), c.gets(refused(version, version === 5 ? 0x85 : 2)), c.ends]
  const ours = "ours: up to 256 bytes, of any characters that text may have"
  const more = ["a/b", "a b", "a#+", "\u00e4", "$SYS"].map((id) =>
    row(
      `Client Identifier ${JSON.stringify(id)}`,
      by(version, "3.1.3.1", "3.1.3.1", "3.1"),
      right(version, connect(version, { id })),
      ours,
    ),
  )
  const long = version === 3 ? "ours: MQTT 3.1 has 23 characters at most, and old clients send more" : ours
  return [
    ...good.map((id) => row(`Client Identifier ${id}`, must, right(version, connect(version, { id })))),
    ...more,
    row("Client Identifier of 24 bytes", rejected, right(version, connect(version, { id: times(24, 0x61) })), long),
    row("Client Identifier of 256 bytes", rejected, right(version, connect(version, { id: times(256, 0x61) })), long),
    row("Client Identifier of 257 bytes", rejected, no(connect(version, { id: times(257, 0x61) })), ours),
    row("Client Identifier of 65,535 bytes", rejected, no(connect(version, { id: times(65_535, 0x61) })), ours),
    ...emptyIdRows(version),
  ]
}

function emptyIdRows(version: Version): Row[] {
  const no = [c.sends(connect(version, { id: "", clean: false })), c.gets(refused(version, 2)), c.ends]
  if (version === 3) {
    const row = { version, rule: "3.1", note: "MQTT 3.1: a Client Identifier has between 1 and 23 characters" }
    const clean = [c.sends(connect(3, { id: "" })), c.gets(refused(3, 2)), c.ends]
    return [
      { ...row, name: "no Client Identifier", steps: clean },
      { ...row, name: "no Client Identifier, Clean Session 0", steps: no },
    ]
  }
  if (version === 4) {
    return [
      { name: "no Client Identifier", version, rule: "MQTT-3.1.3-6", steps: right(4, connect(4, { id: "" })) },
      { name: "no Client Identifier, Clean Session 0", version, rule: "MQTT-3.1.3-8", steps: no },
    ]
  }
  const properties = [0x21, 0, 10, 0x27, ...four(100_000), 0x12, ...text("auto-name0"), 0x22, 0, 5]
  const note = "ours: what the Client Identifier is; the table's broker counts them"
  return [
    {
      name: "no Client Identifier",
      version,
      rule: "MQTT-3.1.3-7",
      note,
      steps: right(5, connect(5, { id: "" }), properties),
    },
    {
      name: "no Client Identifier, two clients",
      version: 5,
      rule: "MQTT-3.2.2-16",
      note,
      steps: [
        ...right(5, connect(5, { id: "" }), properties),
        d.sends(connect(5, { id: "" })),
        d.gets(accepted(5, false, [...properties.slice(0, -4), 0x31, 0x22, 0, 5])),
      ],
    },
    {
      name: "no Client Identifier, Clean Start 0",
      version,
      rule: "MQTT-3.1.3-6",
      note,
      steps: right(5, connect(5, { id: "", clean: false }), properties),
    },
  ]
}

/** Protocol Names and Versions that are not spoken. */
function protocolRows(): Row[] {
  const row = (name: string, version: Version, rule: string, steps: Steps, note?: string): Row => ({
    name,
    version,
    rule,
    note,
    steps,
  })
  const no4 = (sent: Bytes) => [c.sends(sent), c.gets(refused(4, 1)), c.ends]
  const no5 = (sent: Bytes) => [c.sends(sent), c.gets(refused(5, 0x84)), c.ends]
  const older = [0, 1, 2, 3, 0x7f + 1, 0x83, 0x84, 0x85, 0xff].map((level) =>
    row(
      `Protocol Version ${level}`,
      4,
      "MQTT-3.1.2-2",
      no4(connect(4, { level })),
      "ours: in the words of MQTT 3.1.1, as it is no version after 5",
    ),
  )
  const newer = [6, 7, 0x10, 0x7f].map((level) =>
    row(
      `Protocol Version ${level}`,
      5,
      "MQTT-3.1.2-2",
      no5(connect(5, { level })),
      "ours: in the words of MQTT 5.0, for what may come after it",
    ),
  )
  const names = ["", "mqtt", "MQT", "MQTTX", "MQTT ", "HTTP", "MQIsdp", "AMQP"]
  const named = both.flatMap((version) =>
    names.map((protocol) => {
      const sent = connect(version, { protocol })
      const steps = version === 5 ? no5(sent) : no4(sent)
      const note = by(
        version,
        "ours: CONNACK before the end, which MAY be",
        "ours: CONNACK before the end; section 3.1.2.1 says only that the server MAY disconnect",
      )
      return row(`Protocol Name ${JSON.stringify(protocol)}`, version, "MQTT-3.1.2-1", steps, note)
    }),
  )
  const levels = [0, 1, 2, 0x83].map((level) =>
    row(
      `Protocol Name MQIsdp, Version ${level}`,
      4,
      "MQTT-3.1.2-2",
      no4(connect(3, { level })),
      "ours: in the words of MQTT 3.1.1",
    ),
  )
  return [...older, ...newer, ...named, ...levels]
}

/** MQTT 3.1: "the Remaining Length field takes precedence over the User Name flag", and over that of the Password. */
function mqtt31Rows(): Row[] {
  const rule = "3.1"
  const note =
    'MQTT 3.1: "Server implementations must allow for the possibility that the User Name flag is set, but the User Name string is missing"'
  const row = (name: string, steps: Steps): Row => ({ name, version: 3, rule, note, steps })
  return [
    row("User Name that is not there", right(3, connect(3, { flags: 0x82 }))),
    row("User Name and Password that are not there", right(3, connect(3, { flags: 0xc2 }))),
    row("Password that is not there", right(3, connect(3, { flags: 0xc2, more: text("u") }))),
    row("User Name of which a byte is missing", wrong(3, connect(3, { flags: 0x82, more: [0, 2, 0x75] }))),
    row("User Name with a length of one byte", wrong(3, connect(3, { flags: 0x82, more: [0] }))),
  ]
}

/** [MQTT-3.1.0-2] */
function secondRows(version: Version): Row[] {
  const rule = "MQTT-3.1.0-2"
  const first = [c.sends(connect(version)), c.gets(accepted(version))]
  const row = (name: string, sent: Bytes): Row => ({
    name,
    version,
    rule,
    steps: [...first, c.sends(sent), ...told(version, protocolError)],
  })
  return [
    row("a second CONNECT, the same", connect(version)),
    row("a second CONNECT of another client", connect(version, { id: "d" })),
    row("a second CONNECT of another version", connect(version === 5 ? 4 : 5)),
    row("a second CONNECT that is malformed", packet(0x10, connectBody(version).slice(0, 9))),
    {
      name: "a second CONNECT with the first",
      version,
      rule,
      steps: [
        c.sends(connect(version), connect(version)),
        c.gets(accepted(version), ...(version === 5 ? [[0xe0, 2, protocolError, 0]] : [])),
        c.ends,
      ],
    },
  ]
}

/** What CONNACK says (MQTT 5.0 section 3.2.2.3). */
function answerRows(): Row[] {
  const row = (name: string, rule: string, fields: ConnectFields, properties: Bytes, more: Partial<Row> = {}): Row => ({
    name,
    version: 5,
    rule,
    steps: right(5, connect(5, fields), properties),
    ...more,
  })
  const expiry = (seconds: number) => [0x11, ...four(seconds)]
  const most = [...expiry(604_800), ...plainProperties]
  const ours = { note: "ours: a session is kept for seven days at most" }
  const kept = { broker: "keep alive 60" }
  const sixty = [...plainProperties, 0x13, ...two(60)]
  const answered = { broker: "response information" }
  const told = [...plainProperties, 0x1a, ...text("answers/c")]
  const asksResponse = [0x19, 1]
  return [
    row("Session Expiry Interval 1", "3.2.2.3.2", { properties: expiry(1) }, plainProperties),
    row(
      "Session Expiry Interval 604,800, the most",
      "3.2.2.3.2",
      { properties: expiry(604_800) },
      plainProperties,
      ours,
    ),
    row("Session Expiry Interval 604,801", "3.2.2.3.2", { properties: expiry(604_801) }, most, ours),
    row("Session Expiry Interval 0xFFFFFFFF", "3.2.2.3.2", { properties: expiry(0xffff_ffff) }, most, ours),
    row("Keep Alive 0, where 60 is the most", "MQTT-3.2.2-21", {}, sixty, kept),
    row("Keep Alive 61, where 60 is the most", "MQTT-3.2.2-21", { keepAlive: 61 }, sixty, kept),
    row("Keep Alive 65,535, where 60 is the most", "MQTT-3.2.2-21", { keepAlive: 65_535 }, sixty, kept),
    row("Keep Alive 60, where that is the most", "MQTT-3.2.2-22", { keepAlive: 60 }, plainProperties, kept),
    row("Request Response Information 1", "3.1.2.11.6", { properties: asksResponse }, told, answered),
    row("Request Response Information 0", "MQTT-3.1.2-28", { properties: [0x19, 0] }, plainProperties, answered),
    row("no Request Response Information", "MQTT-3.1.2-28", {}, plainProperties, answered),
    {
      name: "Keep Alive 0, where 60 is the most",
      version: 4,
      rule: "3.1.2.10",
      note: "MQTT 3.1.1 has no word for it",
      broker: "keep alive 60",
      steps: right(4, connect(4)),
    },
    row("every property of CONNECT", "3.1.2.11", { properties: everything }, plainProperties),
    row("every property of CONNECT, in another order", "2.2.2.2", { properties: reversed }, plainProperties),
  ]
}

const each: readonly Bytes[] = [
  [0x11, ...four(100)],
  [0x21, 0, 7],
  [0x27, ...four(5000)],
  [0x22, 0, 3],
  [0x19, 1],
  [0x17, 0],
  [0x26, ...text("a"), ...text("b")],
  [0x26, ...text("a"), ...text("c")],
]
const everything = each.flat()
const reversed = [...each].reverse().flat()

/** [MQTT-3.2.0-1], [MQTT-3.1.2-24]: without a CONNACK that fits nobody is served; the CONNACK of the plain broker has 16 bytes. */
function smallRows(): Row[] {
  const rule = "MQTT-3.1.2-24"
  return [1, 2, 3, 4, 5, 6, 15, 16, 17].map((size): Row => {
    const sent = connect(5, { properties: [0x27, ...four(size)] })
    const name = `Maximum Packet Size ${size}`
    if (size >= 16) return { name, version: 5, rule, steps: [...right(5, sent), c.sends(pingreq), c.gets(pingresp)] }
    const note = "ours: CONNACK of 0x95 where its five bytes fit, else none ([MQTT-3.14.0-1]: never DISCONNECT)"
    const steps = [c.sends(sent), ...(size >= 5 ? [c.gets(refused(5, 0x95))] : []), c.ends]
    return { name, version: 5, rule, note, steps }
  })
}
