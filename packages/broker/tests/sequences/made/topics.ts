// Topic Names and Topic Filters: their form, and which match (MQTT 5.0 and 3.1.1 section 4.7; 5.0 section 4.8.2).

import {
  malformed,
  protocolError,
  puback,
  publish,
  pubrec,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
  type Version,
} from "../bytes.ts"
import { asked, both, by, c, d, joined, type Row, wronged } from "../row.ts"

export const head = `Topic Names and Topic Filters of every right and wrong form, and which of them match.`

type Rules = readonly [five: string, four: string]

const hash: Rules = ["MQTT-4.7.1-1", "MQTT-4.7.1-2"]
const plus: Rules = ["MQTT-4.7.1-2", "MQTT-4.7.1-3"]
const empty: Rules = ["MQTT-4.7.3-1", "MQTT-4.7.3-1"]
const share1: Rules = ["MQTT-4.8.2-1", "4.7.1"]
const share2: Rules = ["MQTT-4.8.2-2", "4.7.1"]

const goodFilters = [
  ...[
    "#",
    "+",
    "/",
    "a",
    "a/b",
    "/a",
    "a/",
    "//",
    "/+",
    "+/",
    "+/+",
    "a/+/b",
    "+/b",
    "a/#",
    "/#",
    "+/#",
    "a/+/#",
    "+/+/#",
  ],
  ...[
    "a/b/c/d/e/f/g/h",
    "a b",
    " ",
    "$SYS/#",
    "$SYS/broker",
    "$a",
    "$",
    "$shared/g/a",
    "$Share/g/a",
    "a/$share/g/b",
    "\u00e4",
    "share/g/a",
  ],
]

const goodShares = [
  ...[
    "$share/g/a",
    "$share/g/#",
    "$share/g/+",
    "$share/g//a",
    "$share/g//",
    "$share/g/a/+/b",
    "$share/a b/c",
    "$share/$g/a",
  ],
  ...["$share/g/$share/h/a", "$share/g/$SYS/#", "$share/\u00e4/a", "$share/share/a"],
]

const badFilters: readonly (readonly [filter: string, rules: Rules])[] = [
  ["", empty],
  ...["a#", "#a", "#/", "#/a", "a/#/b", "##", "a/b#", "#+", "+#", "a/#b", "/#/", "a/#/#", "+/#/+"].map(
    (f) => [f, hash] as const,
  ),
  ...["a+", "+a", "a/+b", "a/b+/c", "++", "a/++", "+/a+", "+b/#"].map((f) => [f, plus] as const),
]

/** Of MQTT 5.0; MQTT 3.1.1 knows no Shared Subscriptions, and there they are filters like others. */
const badShares: readonly (readonly [filter: string, rules: Rules])[] = [
  ...["$share", "$share/", "$share//", "$share//a", "$share///a"].map((f) => [f, share1] as const),
  ...["$share/g", "$share/+/a", "$share/#/a", "$share/+", "$share/#", "$share/g+/a", "$share/+g/a"].map(
    (f) => [f, share2] as const,
  ),
  ["$share/g/", ["MQTT-4.7.3-1", "4.7.1"]],
]
/** Those are wrong in both. */
const badAnyway: readonly (readonly [filter: string, rules: Rules])[] = [
  ["$share/g#/a", [share2[0], hash[1]]],
  ["$share/g/a#", hash],
  ["$share/g/#/a", hash],
  ["$share/g/a+", plus],
]
const wildIn311 = new Set(["$share/#/a", "$share/g+/a", "$share/+g/a"])

const shareIs311 =
  "ours: it is no Shared Subscription, which it looks like; MQTT 3.1.1 knows none, so it is refused, and nothing else"

export function rows(): Row[] {
  return both.flatMap((version) => [
    ...goodRows(version),
    ...badRows(version),
    ...shareRows(version),
    ...topicRows(version),
    ...levelRows(version),
    ...matchRows(version),
  ])
}

function quoted(filter: string): string {
  return JSON.stringify(filter)
}

function goodRows(version: Version): Row[] {
  const gone = version === 5 ? [0] : []
  return [...goodFilters, ...goodShares].flatMap((filter): Row[] => {
    const subscribed = [c.sends(subscribe(version, 1, [[filter, 1]])), c.gets(suback(version, 1, 1))]
    const left = [c.sends(unsubscribe(version, 2, [filter])), c.gets(unsuback(version, 2, ...gone))]
    const rule = by(version, filter.startsWith("$share/") ? "4.8.2" : "4.7.1", "4.7.1")
    const note =
      version === 4 && filter.startsWith("$share/") ? "ours: Shared Subscriptions are for MQTT 3.1.1 too" : undefined
    return [
      { name: `SUBSCRIBE to ${quoted(filter)}`, version, rule, note, steps: joined(...subscribed) },
      {
        name: `SUBSCRIBE to ${quoted(filter)}, and UNSUBSCRIBE`,
        version,
        rule: "MQTT-3.10.4-1",
        note,
        steps: joined(...subscribed, ...left),
      },
    ]
  })
}

/** Three packets with a filter that is none. */
function refusedThrice(version: Version, filter: string, rules: Rules): Row[] {
  const rule = by(version, ...rules)
  const row = (what: string, sent: Parameters<typeof wronged>[1]): Row => ({
    name: `${what} ${quoted(filter)}`,
    version,
    rule,
    steps: wronged(version, sent, malformed),
  })
  return [
    row("SUBSCRIBE to", subscribe(version, 1, [[filter, 1]])),
    row(
      "SUBSCRIBE to a good filter and",
      subscribe(version, 1, [
        ["good", 1],
        [filter, 1],
      ]),
    ),
    row(
      "SUBSCRIBE, before a good filter, to",
      subscribe(version, 1, [
        [filter, 1],
        ["good", 1],
      ]),
    ),
    row("UNSUBSCRIBE from", unsubscribe(version, 1, [filter])),
    row("UNSUBSCRIBE from a good filter and", unsubscribe(version, 1, ["good", filter])),
  ]
}

function badRows(version: Version): Row[] {
  const list = [...badFilters, ...badAnyway].flatMap(([filter, rules]) => refusedThrice(version, filter, rules))
  // [MQTT-4.7.3-2]; see strings.txt for all else that is not allowed in text
  return [...list, ...refusedThrice(version, "a\u0000", ["MQTT-4.7.3-2", "MQTT-4.7.3-2"])]
}

function shareRows(version: Version): Row[] {
  return badShares.flatMap(([filter, rules]): Row[] => {
    if (version === 5) return refusedThrice(5, filter, rules)
    if (wildIn311.has(filter)) return refusedThrice(4, filter, [rules[0], filter.includes("#") ? hash[1] : plus[1]])
    const row = { version, note: shareIs311 }
    const two = subscribe(4, 1, [
      ["good", 1],
      [filter, 1],
    ])
    return [
      {
        ...row,
        name: `SUBSCRIBE to ${quoted(filter)}`,
        rule: "MQTT-3.8.4-5",
        steps: asked(subscribe(4, 1, [[filter, 1]]), suback(4, 1, 0x80)),
      },
      {
        ...row,
        name: `SUBSCRIBE to a good filter and ${quoted(filter)}`,
        rule: "MQTT-3.8.4-5",
        steps: asked(two, suback(4, 1, 1, 0x80)),
      },
      {
        ...row,
        name: `UNSUBSCRIBE from ${quoted(filter)}`,
        rule: "MQTT-3.10.4-5",
        steps: asked(unsubscribe(4, 1, [filter]), unsuback(4, 1)),
      },
    ]
  })
}

/** Topic Names of PUBLISH, at each QoS. */
function topicRows(version: Version): Row[] {
  const list: Row[] = []
  const answers = [
    () => [],
    () => [c.gets(puback(version, 1, 0x10))],
    () => [c.gets(pubrec(version, 1, 0x10))],
  ] as const
  const good = [
    "a",
    "/",
    "//",
    "/a",
    "a/",
    "a b",
    " ",
    "a/b/c/d/e/f",
    "\u00e4",
    "a*b",
    "A",
    "\ufeff",
    "a//b",
    "share/g/a",
  ]
  for (const qos of [0, 1, 2] as const) {
    for (const topic of good) {
      const steps = joined(c.sends(publish(version, topic, "x", { qos })), ...answers[qos]())
      list.push({ name: `PUBLISH of QoS ${qos} to ${quoted(topic)}`, version, rule: "4.7.3", steps })
    }
    for (const topic of ["#", "+", "a/#", "a/+/b", "a#", "+a", "a+b", "/+", "/#", "##", "$share/g/#", "$SYS/+"]) {
      const steps = wronged(version, publish(version, topic, "x", { qos }), malformed)
      list.push({ name: `PUBLISH of QoS ${qos} to ${quoted(topic)}`, version, rule: "MQTT-3.3.2-2", steps })
    }
    const none = wronged(version, publish(version, "", "x", { qos }), by5(version))
    const note = version === 5 ? "there is no Topic Alias either" : undefined
    list.push({
      name: `PUBLISH of QoS ${qos} to ""`,
      version,
      rule: by(version, "3.3.2.1", "MQTT-4.7.3-1"),
      note,
      steps: none,
    })
    // Section 4.7.2: servers keep these topics to themselves. MQTT 3.1.1 has no word for it: [MQTT-3.3.5-2].
    const ours = "ours: topics that begin with $ are the broker's, and the client is told that it may not"
    for (const topic of ["$SYS/x", "$a", "$", "$share/g/a"]) {
      const code = version === 5 ? 0x87 : 0
      const answer = [[], [c.gets(puback(version, 1, code))], [c.gets(pubrec(version, 1, code))]][qos]!
      const steps = joined(c.sends(publish(version, topic, "x", { qos })), ...answer)
      list.push({
        name: `PUBLISH of QoS ${qos} to ${quoted(topic)}`,
        version,
        rule: by(version, "4.7.2", "MQTT-3.3.5-2"),
        note: ours,
        steps,
      })
    }
  }
  return list
}

/** Section 3.3.2.1 of MQTT 5.0: "It is a Protocol Error if the Topic Name is zero length and there is no Topic Alias". */
function by5(version: Version): number {
  return version === 5 ? protocolError : malformed
}

/** A limit of ours: 32 levels. */
function levelRows(version: Version): Row[] {
  const note =
    "ours: section 4.7.3 knows no limit of the levels; this broker has 32 of them, and names are well-formed beyond"
  const path = (levels: number) => Array.from({ length: levels }, () => "a").join("/")
  const many = { version, note }
  const failed = version === 5 ? 0x8f : 0x80
  const most = publish(version, path(32), "x", { qos: 1 })
  const more = publish(version, path(33), "x", { qos: 1 })
  return [
    { ...many, name: "PUBLISH to 32 levels", rule: "4.7.3", steps: asked(most, puback(version, 1, 0x10)) },
    { ...many, name: "PUBLISH to 33 levels", rule: "4.7.3", steps: wronged(version, more, 0x90) },
    {
      ...many,
      name: "SUBSCRIBE to 32 levels",
      rule: "4.7.3",
      steps: asked(subscribe(version, 1, [[path(32), 0]]), suback(version, 1, 0)),
    },
    {
      ...many,
      name: "SUBSCRIBE to 33 levels",
      rule: "4.7.3",
      steps: asked(subscribe(version, 1, [[path(33), 0]]), suback(version, 1, failed)),
    },
    {
      ...many,
      name: "SUBSCRIBE to 32 levels, shared",
      rule: "4.7.3",
      steps: asked(subscribe(version, 1, [[`$share/g/${path(32)}`, 0]]), suback(version, 1, 0)),
    },
  ]
}

/** Filter, the topics that it matches, and those that it does not. Most are those of section 4.7. */
const matching: readonly (readonly [filter: string, yes: readonly string[], no: readonly string[]])[] = [
  [
    "sport/tennis/player1/#",
    ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"],
    ["sport/tennis/player2", "sport/tennis"],
  ],
  ["sport/#", ["sport", "sport/", "sport/tennis", "sport//"], ["sports", "/sport", "Sport/a"]],
  ["#", ["a", "/", "//", "a/b/c", "/finance"], []],
  [
    "sport/tennis/+",
    ["sport/tennis/player1", "sport/tennis/player2", "sport/tennis/"],
    ["sport/tennis/player1/ranking", "sport/tennis"],
  ],
  ["sport/+", ["sport/", "sport/a"], ["sport", "sport//", "sport/a/b"]],
  ["+", ["a", "finance"], ["/finance", "a/", "a/b", "/"]],
  ["+/tennis/#", ["a/tennis", "a/tennis/b", "/tennis/x"], ["tennis", "a/b/tennis"]],
  ["sport/+/player1", ["sport/tennis/player1", "sport//player1"], ["sport/player1", "sport/a/b/player1"]],
  ["+/+", ["/finance", "a/b", "/"], ["finance", "a/b/c"]],
  ["/+", ["/finance", "/"], ["finance", "a/b"]],
  ["+/monitor/Clients", ["a/monitor/Clients"], ["a/monitor/clients"]],
  ["/", ["/"], ["a/", "/a", "//"]],
  ["a/", ["a/"], ["a", "a//"]],
  ["a//b", ["a//b"], ["a/b", "a/x/b"]],
  ["a/+/+/b", ["a///b", "a/x/y/b"], ["a//b", "a/x/b"]],
  ["/#", ["/", "/a", "//"], ["a", "a/b"]],
  ["a/b", ["a/b"], ["a/bc", "a", "b", "a/b/"]],
]

function matchRows(version: Version): Row[] {
  const list: Row[] = []
  for (const shared of [false, true]) {
    for (const [filter, yes, no] of matching) {
      for (const topic of [...yes, ...no]) {
        const sent = publish(version, topic, "x")
        const asks = shared ? `$share/g/${filter}` : filter
        const matches = yes.includes(topic)
        const steps = [
          d.joins,
          d.sends(subscribe(version, 1, [[asks, 0]])),
          d.gets(suback(version, 1, 0)),
          c.joins,
          c.sends(sent),
          ...(matches ? [d.gets(sent)] : []),
        ]
        const name = `${quoted(asks)} ${matches ? "matches" : "does not match"} ${quoted(topic)}`
        list.push({ name, version, rule: shared ? "4.8.2" : "4.7.1", steps })
      }
    }
  }
  // MQTT 3.1.1 has no Shared Subscriptions.
  return list.filter(({ rule }) => version === 5 || rule !== "4.8.2")
}
