// UTF-8 Encoded Strings in every place that has one (MQTT 5.0 section 1.5.4, 3.1.1 section 1.5.3).

import {
  accepted,
  type Bytes,
  connect,
  malformed,
  packet,
  publish,
  refused,
  set,
  suback,
  subscribe,
  text,
  unsuback,
  unsubscribe,
  utf8,
  type Version,
} from "../bytes.ts"
import { asked, both, by, c, d, joined, type Row, type Steps, wronged } from "../row.ts"

export const head = `Text that is not well-formed UTF-8, or not allowed, in every place of a client's packets that has text; text that is.`

interface Sample {
  readonly what: string
  readonly bytes: Bytes
  /** The statements of MQTT 5.0 and 3.1.1. */
  readonly rules: readonly [five: string, four: string]
  /** The standard leaves it to us. */
  readonly ours?: boolean
}

function ill(what: string, ...bytes: Bytes): Sample {
  return { what, bytes, rules: ["MQTT-1.5.4-1", "MQTT-1.5.3-1"] }
}

/** Code points that "SHOULD NOT" be there, and MAY be taken for a Malformed Packet. */
function disallowed(code: number): Sample {
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`
  return { what: name, bytes: utf8(`a${String.fromCodePoint(code)}b`), rules: ["1.5.4", "1.5.3"], ours: true }
}

const samples: readonly Sample[] = [
  ill("a continuation byte alone", 0x80),
  ill("the last continuation byte alone", 0xbf),
  ill("two bytes of which one is missing", 0x61, 0xc3),
  ill("two bytes whose second is a letter", 0xc3, 0x61),
  ill("two bytes whose second begins another", 0xc3, 0xc3, 0xa4),
  ill("U+0000 in two bytes", 0xc0, 0x80),
  ill("a slash in two bytes", 0xc0, 0xaf),
  ill("U+007F in two bytes", 0xc1, 0xbf),
  ill("three bytes of which one is missing", 0xe2, 0x82),
  ill("three bytes whose third is a letter", 0xe2, 0x82, 0x61),
  ill("U+0000 in three bytes", 0xe0, 0x80, 0x80),
  ill("U+07FF in three bytes", 0xe0, 0x9f, 0xbf),
  ill("U+D800", 0xed, 0xa0, 0x80),
  ill("U+DBFF", 0xed, 0xaf, 0xbf),
  ill("U+DC00", 0xed, 0xb0, 0x80),
  ill("U+DFFF", 0xed, 0xbf, 0xbf),
  ill("two surrogates that make a pair", 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80),
  ill("four bytes of which one is missing", 0xf0, 0x9f, 0x98),
  ill("four bytes of which two are missing", 0xf0, 0x9f),
  ill("four bytes whose fourth is a letter", 0xf0, 0x9f, 0x98, 0x61),
  ill("U+0000 in four bytes", 0xf0, 0x80, 0x80, 0x80),
  ill("U+FFFF in four bytes", 0xf0, 0x8f, 0xbf, 0xbf),
  ill("U+110000", 0xf4, 0x90, 0x80, 0x80),
  ill("a first byte of 0xf5", 0xf5, 0x80, 0x80, 0x80),
  ill("five bytes", 0xf8, 0x88, 0x80, 0x80, 0x80),
  ill("six bytes", 0xfc, 0x84, 0x80, 0x80, 0x80, 0x80),
  ill("0xfe", 0xfe),
  ill("0xff", 0xff),
  { what: "U+0000", bytes: [0x61, 0, 0x62], rules: ["MQTT-1.5.4-2", "MQTT-1.5.3-2"] },
  { what: "U+0000 alone", bytes: [0], rules: ["MQTT-1.5.4-2", "MQTT-1.5.3-2"] },
  ...[0x01, 0x09, 0x0a, 0x0d, 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0x9f].map(disallowed),
  ...[0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1_fffe, 0x1_ffff, 0x8_ffff, 0x10_fffe, 0x10_ffff].map(disallowed),
]

/** Text of all lengths and edges that is well-formed and allowed. */
const good: readonly (readonly [what: string, text: string])[] = [
  ["a byte order mark alone", "\ufeff"],
  ["a byte order mark in front", "\ufeffa"],
  ["a byte order mark at the end", "a\ufeff"],
  ["two byte order marks", "\ufeff\ufeff"],
  ["U+0020 and U+007E", " ~"],
  ["U+00A0, after the control characters", "\u00a0"],
  ["U+07FF and U+0800", "\u07ff\u0800"],
  ["U+D7FF, before the surrogates", "\ud7ff"],
  ["U+E000, after the surrogates", "\ue000"],
  ["U+FDCF and U+FDF0, around the non-characters", "\ufdcf\ufdf0"],
  ["U+FFFD, the replacement character", "\ufffd"],
  ["U+10000", "\u{10000}"],
  ["U+1FFFD, before the non-characters", "\u{1fffd}"],
  ["U+2A6D4, the standard's example", "A\u{2a6d4}"],
  ["U+10FFFD, the last character", "\u{10fffd}"],
  ["a letter that is not composed", "e\u0301"],
  ["a letter that is composed", "\u00e9"],
  ["a flag of two characters", "\u{1f1e9}\u{1f1ea}"],
]

interface Place {
  readonly name: string
  readonly make: (string: Bytes) => Bytes
  readonly isConnect?: boolean
  /** [MQTT-1.5.7-1] is about the two strings of a User Property. */
  readonly isPair?: boolean
}

const k = text("k")

/** Every place of a client's packets that has text, but for the Protocol Name, which is one word. */
function places(version: Version): Place[] {
  const connects: readonly (readonly [string, (string: Bytes) => Bytes])[] = [
    ["Client Identifier", (id) => connect(version, { id })],
    ["Will Topic", (topic) => connect(version, { will: { topic } })],
    ["User Name", (name) => connect(version, { name })],
  ]
  const list: Place[] = [
    ...connects.map(([name, make]) => ({ name, make, isConnect: true })),
    { name: "Topic Name", make: (string) => publish(version, string, "x") },
    { name: "Topic Filter of SUBSCRIBE", make: (string) => subscribe(version, 1, [[string, 0]]) },
    {
      name: "second Topic Filter of SUBSCRIBE",
      make: (string) =>
        subscribe(version, 1, [
          ["f", 0],
          [string, 0],
        ]),
    },
    { name: "Topic Filter of UNSUBSCRIBE", make: (string) => unsubscribe(version, 1, [string]) },
  ]
  return version === 5 ? [...list, ...propertyPlaces()] : list
}

function propertyPlaces(): Place[] {
  const inConnect = (properties: Bytes) => connect(5, { properties })
  const inWill = (properties: Bytes) => connect(5, { will: { properties } })
  const inPublish = (properties: Bytes) => publish(5, "a", "x", { properties })
  const inAck = (first: number) => (properties: Bytes) => packet(first, [0, 1, 0, ...set(5, properties)])
  const holders: readonly (readonly [name: string, make: (properties: Bytes) => Bytes, isConnect: boolean])[] = [
    ["CONNECT", inConnect, true],
    ["the will", inWill, true],
    ["PUBLISH", inPublish, false],
    ["PUBACK", inAck(0x40), false],
    ["PUBREC", inAck(0x50), false],
    ["PUBREL", inAck(0x62), false],
    ["PUBCOMP", inAck(0x70), false],
    ["SUBSCRIBE", (properties) => subscribe(5, 1, [["f", 0]], properties), false],
    ["UNSUBSCRIBE", (properties) => unsubscribe(5, 1, ["f"], properties), false],
    ["DISCONNECT", (properties) => packet(0xe0, [0, ...set(5, properties)]), false],
  ]
  const pairs = holders.flatMap(([holder, make, isConnect]): Place[] => [
    {
      name: `name of a User Property of ${holder}`,
      make: (s) => make([0x26, ...text(s), ...k]),
      isConnect,
      isPair: true,
    },
    {
      name: `value of a User Property of ${holder}`,
      make: (s) => make([0x26, ...k, ...text(s)]),
      isConnect,
      isPair: true,
    },
  ])
  const texts: readonly (readonly [name: string, id: number, holders: readonly string[]])[] = [
    ["Content Type", 0x03, ["PUBLISH", "the will"]],
    ["Response Topic", 0x08, ["PUBLISH", "the will"]],
    ["Authentication Method", 0x15, ["CONNECT"]],
    ["Server Reference", 0x1c, ["DISCONNECT"]],
    ["Reason String", 0x1f, ["PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "DISCONNECT"]],
  ]
  const others = texts.flatMap(([name, id, among]) =>
    holders
      .filter(([holder]) => among.includes(holder))
      .map(
        ([holder, make, isConnect]): Place => ({
          name: `${name} of ${holder}`,
          make: (string) => make([id, ...text(string)]),
          isConnect,
        }),
      ),
  )
  return [...pairs, ...others]
}

const choice = "ours: section 1.5.4 leaves it to the receiver"
const choiceOf311 = "ours: section 1.5.3 leaves it to the receiver"

export function rows(): Row[] {
  return both.flatMap((version) => [...badRows(version), ...goodRows(version), ...binaryRows(version)])
}

function badRows(version: Version): Row[] {
  return places(version).flatMap((place) =>
    // Of the pairs and Reason Strings, which are alike everywhere, a sample of each kind is enough.
    samples
      .filter((_, i) => !isMany(place) || i % 4 === 0 || i === 29)
      .map(({ what, bytes, rules, ours }): Row => {
        const sent = place.make(bytes)
        const ending: Steps = [...(version === 5 ? [c.gets(refused(5, malformed))] : []), c.ends]
        const rule = place.isPair === true && ours !== true ? "MQTT-1.5.7-1" : by(version, ...rules)
        return {
          name: `${place.name}: ${what}`,
          version,
          rule,
          note: ours === true ? by(version, choice, choiceOf311) : undefined,
          steps: place.isConnect === true ? [c.sends(sent), ...ending] : wronged(version, sent, malformed),
        }
      }),
  )
}

function isMany({ name, isPair }: Place): boolean {
  return isPair === true || name.startsWith("Reason String") || name.startsWith("second")
}

function goodRows(version: Version): Row[] {
  // [MQTT-1.5.4-3] a byte order mark stays; [MQTT-4.7.3-4] nothing is normalised.
  const rule = (what: string) =>
    what.includes("byte order") ? by(version, "MQTT-1.5.4-3", "MQTT-1.5.3-3") : "MQTT-4.7.3-4"
  const delivered = good.map(([what, string]): Row => {
    const sent = publish(version, string, "x")
    const subscribed = [d.sends(subscribe(version, 1, [["#", 0]])), d.gets(suback(version, 1, 0))]
    const steps = [d.joins, ...subscribed, c.joins, c.sends(sent), d.gets(sent)]
    return { name: `Topic Name: ${what}`, version, rule: rule(what), steps }
  })
  const filters = good.map(([what, string]): Row => {
    const sent = subscribe(version, 1, [[string, 0]])
    const published = publish(version, string, "x")
    const steps = joined(c.sends(sent), c.gets(suback(version, 1, 0)), c.sends(published), c.gets(published))
    return { name: `Topic Filter: ${what}`, version, rule: rule(what), steps }
  })
  const gone = version === 5 ? [0x11] : []
  const unsubscribed = good.map(([what, string]): Row => {
    const steps = asked(unsubscribe(version, 1, [string]), unsuback(version, 1, ...gone))
    return {
      name: `Topic Filter of UNSUBSCRIBE: ${what}`,
      version,
      rule: by(version, "MQTT-3.10.3-1", "MQTT-3.10.3-1"),
      steps,
    }
  })
  const clients = good.map(([what, id]): Row => {
    const steps = [c.sends(connect(version, { id })), c.gets(accepted(version))]
    const note = "ours: Client Identifiers may have any characters"
    return { name: `Client Identifier: ${what}`, version, rule: "MQTT-3.1.3-4", note, steps }
  })
  const names = good.map(([what, name]): Row => {
    const steps = [c.sends(connect(version, { name })), c.gets(accepted(version))]
    return { name: `User Name: ${what}`, version, rule: by(version, "MQTT-3.1.3-12", "MQTT-3.1.3-11"), steps }
  })
  return [...delivered, ...filters, ...unsubscribed, ...clients, ...names, ...alikeRows(version)]
}

/** What looks alike is not the same. */
function alikeRows(version: Version): Row[] {
  const pairs: readonly (readonly [what: string, filter: string, topic: string])[] = [
    ["composed and not composed", "\u00e9", "e\u0301"],
    ["with a byte order mark and without", "a", "\ufeffa"],
    ["small and large letters", "accounts", "ACCOUNTS"],
    ["with a space and without", "a", "a "],
  ]
  return pairs.map(([what, filter, topic]) => ({
    name: `Topic Filter and Topic Name: ${what}`,
    version,
    rule: "MQTT-4.7.3-4",
    steps: joined(
      c.sends(subscribe(version, 1, [[filter, 0]])),
      c.gets(suback(version, 1, 0)),
      c.sends(publish(version, topic, "x")),
    ),
  }))
}

/** Binary Data is not text. */
function binaryRows(version: Version): Row[] {
  const bytes = [0, 0xff, 0xc0, 0x80, 1]
  const password = connect(version, { name: "u", password: bytes })
  const will = connect(version, { will: { payload: bytes } })
  const sent = publish(version, "a", bytes)
  const list: Row[] = [
    {
      name: "Password of any bytes",
      version,
      rule: by(version, "3.1.3.6", "3.1.3.5"),
      steps: [c.sends(password), c.gets(accepted(version))],
    },
    {
      name: "Will Payload of any bytes",
      version,
      rule: by(version, "3.1.3.4", "3.1.3.3"),
      steps: [c.sends(will), c.gets(accepted(version))],
    },
    {
      name: "payload of any bytes",
      version,
      rule: "3.3.3",
      steps: joined(
        c.sends(subscribe(version, 1, [["a", 0]])),
        c.gets(suback(version, 1, 0)),
        c.sends(sent),
        c.gets(sent),
      ),
    },
  ]
  if (version === 4) return list
  const correlated = publish(5, "a", "x", { properties: [0x09, ...text(bytes)] })
  const steps = joined(
    c.sends(subscribe(5, 1, [["a", 0]])),
    c.gets(suback(5, 1, 0)),
    c.sends(correlated),
    c.gets(correlated),
  )
  return [...list, { name: "Correlation Data of any bytes", version, rule: "MQTT-3.3.2-16", steps }]
}
