// What `npm run cluster` says of a history: nothing where all is well, and of each planted fault which message it was and where.

import { describe, expect, it } from "vitest"
import { checked } from "../cluster/checks/checks.ts"
import { handedOver } from "../cluster/checks/shared.ts"
import { fateOf } from "../cluster/checks/wills.ts"
import { matches, Words } from "../cluster/checks/words.ts"
import { emptyHistory, type Got, type History, type Said, type Will } from "../cluster/history.ts"
import { isRemoval, isRetained, qosOf, textOf, topicOf } from "../crash/said.ts"

/** One minute in which all is well: messages come twice where they may, clients move, a broker is killed. */
function calm(): History {
  const history = emptyHistory()
  const nodes = ["A", "B", "C"]
  const connect = (clientId: string, number: number, node: string, openedAt: number, closedAt?: number) =>
    history.connections.push({ clientId, number, node, openedAt, present: number > 1, ...(closedAt && { closedAt }) })
  for (const [i, id] of ["p1", "p2", "p3"].entries()) connect(id, 1, nodes[i]!, 10)
  connect("there", 1, "A", 10)
  connect("roams", 1, "B", 10, 20_100)
  connect("roams", 2, "C", 20_100)
  for (const [i, id] of ["g1", "g2", "g3"].entries()) connect(id, 1, nodes[i]!, 10)
  history.subscriptions.push(
    { clientId: "there", filters: ["messages/#", "wills/#"] },
    { clientId: "roams", filters: ["messages/+/1", "messages/p1/2"] },
    ...["g1", "g2", "g3"].map((clientId) => ({ clientId, filters: ["messages/#"], share: "g" })),
  )
  history.faults.push({ round: 1, what: "broker B killed", nodes: ["B"], from: 20_000, to: 21_000 })
  for (let count = 1; count <= 120; count++)
    for (const by of ["p1", "p2", "p3"]) say(history, { by, count }, 100 + count * 500)
  will(history, { payload: "will 1", connectedAt: 1000, end: { how: "lost", at: 5000 } })
  will(history, { payload: "will 2", connectedAt: 1000, end: { how: "good-bye", at: 5000 } })
  will(history, { payload: "will 3", connectedAt: 1000, end: { how: "lost", at: 5000 }, delay: 4000, backAt: 7000 })
  will(history, { payload: "will 4", connectedAt: 19_000, end: { how: "good-bye", at: 19_900 } })
  will(history, { payload: "will 5", connectedAt: 19_000, end: { how: "lost", at: 20_000 }, retain: true })
  for (const payload of ["will 1", "will 5"])
    history.got.push({
      clientId: "there",
      connection: 1,
      at: 20_500,
      topic: topicIn(payload),
      qos: 2,
      payload,
      taken: true,
    })
  const found = new Map([[topicIn("will 5"), "will 5"]])
  for (const said of history.said) {
    if (said.retain && said.removal) found.delete(said.topic)
    else if (said.retain) found.set(said.topic, textOf(said))
  }
  for (const node of nodes) history.retained.push({ node, found: new Map(found) })
  return history
}

function say(history: History, { by, count }: { by: string; count: number }, at: number): void {
  const said: Said = {
    ...{ by, count, topic: topicOf({ by, count }), qos: qosOf(count), retain: isRetained(count) },
    ...{ removal: isRemoval(count), at, connection: 1, times: 1, acknowledgedAt: at + 5, acknowledgedOn: 1 },
  }
  history.said.push(said)
  if (said.retain) return
  const subscribers = ["there", ...(by === "p1" || said.qos === 1 ? ["roams"] : []), `g${1 + (count % 3)}`]
  for (const clientId of subscribers) {
    const arrival = arrives(history, said, clientId, at + 6)
    // QoS 1 may come again, behind others, too.
    if (said.qos === 1 && count % 7 === 0) history.got.push({ ...arrival, at: at + 300 })
  }
}

function arrives(history: History, { by, count, topic, qos }: Said, clientId: string, at: number): Got {
  const connection = clientId === "roams" && at > 20_100 ? 2 : 1
  const payload = textOf({ by, count })
  const got: Got = { clientId, connection, at, topic, qos, payload, by, count, taken: true }
  history.got.push(got)
  return got
}

const topicIn = (payload: string) => payload.replace("will ", "wills/")

function will(history: History, some: Partial<Will> & Pick<Will, "payload">): void {
  const { payload } = some
  const clientId = payload.replace(" ", "-")
  history.wills.push({ clientId, topic: topicIn(payload), qos: 2, retain: false, delay: 0, node: "B", ...some })
}

const findSaid = (history: History, by: string, count: number) =>
  history.said.find((one) => one.by === by && one.count === count)!
const findGot = (history: History, clientId: string, by: string, count: number) =>
  history.got.find((one) => one.clientId === clientId && one.by === by && one.count === count)!
function remove<T>(list: T[], wants: (value: T) => boolean): void {
  list.splice(0, list.length, ...list.filter((value) => !wants(value)))
}
/** The message of this count changes its place with the one that came to this subscriber by that count. */
function swap(history: History, clientId: string, by: string, a: number, b: number): void {
  const [i, j] = [a, b].map((count) => history.got.indexOf(findGot(history, clientId, by, count)))
  const [one, other] = [history.got[i!]!, history.got[j!]!]
  history.got[i!] = { ...other, at: one.at }
  history.got[j!] = { ...one, at: other.at }
}

function sayZero(history: History, count: number, connection = 1): void {
  history.said.push({ ...findSaid(history, "p1", 42), count, qos: 0, connection, topic: "messages/p1/0" })
}
function getZero(history: History, count: number): void {
  history.got.push({ ...findGot(history, "there", "p1", 42), count, qos: 0, topic: "messages/p1/0" })
}

/** What is found, by check. */
function found(history: History): Record<string, readonly string[]> {
  return Object.fromEntries([...checked(history)].filter(([, lines]) => lines.length > 0))
}

function after(plant: (history: History) => void): Record<string, readonly string[]> {
  const history = calm()
  plant(history)
  return found(history)
}

it("a calm minute: nothing", () => {
  const history = calm()
  expect(found(history)).toEqual({})
  expect([history.said.length, history.got.length > 800]).toEqual([360, true])
})

describe("a planted fault", () => {
  const missing = (clientId: string, by: string, count: number) => (history: History) =>
    remove(history.got, (one) => one.clientId === clientId && one.by === by && one.count === count)

  it.each<[string, (history: History) => void, Record<string, RegExp[]>]>([
    [
      "an acknowledged message of QoS 1 is lost",
      missing("there", "p2", 39),
      {
        lost: [
          /^there has lost acknowledged messages: 1, the first is p2 39 \(QoS 1, messages\/p2\/1\), said at 19\.600 s to B, acknowledged at 19\.605 s by B; it was on A; then: round 1, broker B killed \(20\.000 s to 21\.000 s\)$/,
        ],
      },
    ],
    ["one of QoS 2, the last", missing("there", "p3", 120), { lost: [/^there .*p3 120 \(QoS 2.*it was on A$/] }],
    [
      "a subscriber that moves misses what was said meanwhile",
      (history) => {
        missing("roams", "p1", 43)(history)
        missing("roams", "p1", 42)(history)
      },
      { lost: [/^roams has lost acknowledged messages: 2, the first is p1 42 .* it was on C/] },
    ],
    [
      "it comes only on a connection that was replaced",
      (history) => {
        const i = history.got.indexOf(findGot(history, "roams", "p3", 51))
        history.got[i] = { ...history.got[i]!, connection: 1, taken: false }
      },
      { lost: [/^roams .*p3 51/], served: [/^a session was served by two connections: 1, .*roams on B got p3 51/] },
    ],
    [
      "QoS 2 comes twice",
      (history) => history.got.push({ ...findGot(history, "there", "p1", 42), at: 22_000 }),
      {
        doubled: [
          /^there got messages more than once: 1, .*p1 42 .*: at 21\.106 s from A and at 22\.000 s from A; then: round 1/,
        ],
      },
    ],
    [
      "QoS 2 comes again on another node, much later",
      (history) => history.got.push({ ...findGot(history, "roams", "p1", 4), connection: 2, at: 50_000 }),
      { doubled: [/^roams .*p1 4 .*at 2\.106 s from B and at 50\.000 s from C$/] },
    ],
    [
      "two messages change places",
      (history) => swap(history, "there", "p2", 51, 53),
      { order: [/^there got messages out of order: 1, the first is p2 51 .* behind p2 53/] },
    ],
    [
      "one comes at the end",
      (history) => {
        const got = findGot(history, "there", "p2", 52)
        missing("there", "p2", 52)(history)
        history.got.push({ ...got, at: 70_000 })
      },
      { order: [/^there .*p2 52 .*came at 70\.000 s from A, behind p2 120/] },
    ],
    [
      "it was said again, with no refusal",
      (history) => {
        swap(history, "there", "p2", 51, 53)
        findSaid(history, "p2", 51).times = 2
      },
      { order: [/p2 51 .* \(2 times in all\)/] },
    ],
    [
      "QoS 0 comes by two ways",
      (history) => {
        sayZero(history, 201)
        getZero(history, 201)
        getZero(history, 201)
      },
      { doubled: [/^there got messages more than once: 1, the first is p1 201 \(QoS 0, messages\/p1\/0\)/] },
    ],
    [
      "QoS 0 of one connection is out of order on another",
      (history) => {
        for (const count of [201, 202]) sayZero(history, count)
        for (const count of [202, 201]) getZero(history, count)
      },
      { order: [/^there got messages out of order: 1, the first is p1 201 \(QoS 0/] },
    ],
    [
      "a message that nobody has said",
      (history) =>
        history.got.push({ ...findGot(history, "there", "p1", 42), count: 121, payload: "p1 1 121", qos: 1 }),
      { foreign: [/^nobody has said what came: 1, the first is "p1 1 121"/] },
    ],
    [
      "another topic",
      (history) => {
        const i = history.got.indexOf(findGot(history, "there", "p1", 42))
        history.got[i] = { ...history.got[i]!, topic: "messages/p1/1" }
      },
      { foreign: [/^nobody has said what came: 1, the first is "p1 2 42" \(QoS 2, messages\/p1\/1\)/] },
    ],
    [
      "QoS 2 comes as QoS 1",
      (history) => {
        const i = history.got.indexOf(findGot(history, "there", "p1", 42))
        history.got[i] = { ...history.got[i]!, qos: 1 }
      },
      { foreign: [/"p1 2 42" \(QoS 1, messages\/p1\/2\)/] },
    ],
    [
      "what was refused comes",
      (history) => {
        const said = findSaid(history, "p1", 42)
        said.refused = true
        delete said.acknowledgedAt
      },
      { foreign: [/^what was refused came: \d, the first is p1 42 .*not acknowledged/] },
    ],
    [
      "no member gets a shared message",
      missing("g2", "p1", 4),
      { shared: [/^no member of g got acknowledged messages: 1, the first is p1 4 .*; g1 on A, g2 on B, g3 on C/] },
    ],
    [
      "two members get QoS 2",
      (history) => history.got.push({ ...findGot(history, "g2", "p1", 40), clientId: "g3", at: 60_000 }),
      {
        shared: [
          /^messages were done more than once in g: 1, the first is p1 40 .*: g2 at .* from B and g3 at 60\.000 s from C/,
        ],
      },
    ],
    [
      "one member gets QoS 2 twice",
      (history) => history.got.push({ ...findGot(history, "g2", "p1", 4), at: 60_000 }),
      { shared: [/p1 4 .*: g2 at 2\.106 s from B and g2 at 60\.000 s from B/] },
    ],
    [
      "two members do QoS 1 in peace",
      (history) => history.got.push({ ...findGot(history, "g1", "p1", 3), clientId: "g3", at: 60_000 }),
      { shared: [/p1 3 .*: g1 at 1\.606 s from A and g3/] },
    ],
    [
      "a will does not come",
      (history) => remove(history.got, ({ payload }) => payload === "will 1"),
      {
        wills: [
          /^there did not get wills: 1, the first is "will 1", of a client of B from 1\.000 s, lost at 5\.000 s$/,
        ],
      },
    ],
    [
      "a will comes twice, by two nodes",
      (history) => history.got.push({ ...history.got.find(({ payload }) => payload === "will 5")!, at: 30_000 }),
      {
        wills: [
          /^there got wills more than once: 1, the first is "will 5".*it came at 20\.500 s from A and at 30\.000 s from A/,
        ],
      },
    ],
    [
      "a will comes after a good-bye",
      (history) => history.got.push({ ...willOf(history), payload: "will 2", topic: "wills/2" }),
      { wills: [/^there got wills that must not be published: 1, the first is "will 2".*good-bye at 5\.000 s/] },
    ],
    [
      "a will comes although its client is back",
      (history) => history.got.push({ ...willOf(history), payload: "will 3", topic: "wills/3" }),
      { wills: [/"will 3", delay 4\.000 s.*back at 7\.000 s; it came at 20\.500 s/] },
    ],
    [
      "a will is not retained on one node",
      (history) => (history.retained[1]!.found as Map<string, string>).delete("wills/5"),
      { wills: [/^B does not have retained wills: 1, the first is "will 5"/] },
    ],
    [
      "a will is retained that is not to be",
      (history) => (history.retained[2]!.found as Map<string, string>).set("wills/1", "will 1"),
      { wills: [/^C retains wills that are not to be: 1, the first is "will 1"/] },
    ],
    [
      "an older retained message",
      (history) => (history.retained[0]!.found as Map<string, string>).set("retained/p1/1/0", "p1 1 1"),
      {
        retained: [
          /^A does not have the last retained message: 1, the first is retained\/p1\/1\/0: "p1 1 1", and p1 101 /,
        ],
      },
    ],
    [
      "no retained message on one node",
      (history) => (history.retained[1]!.found as Map<string, string>).delete("retained/p1/1/3"),
      { retained: [/^B .*retained\/p1\/1\/3: there is none, and p1 61 .* is the last/] },
    ],
    [
      "what was taken away is there again",
      (history) => (history.retained[2]!.found as Map<string, string>).set("retained/p1/1/2", "p1 1 41"),
      { retained: [/^C .*retained\/p1\/1\/2: .*takes it away/] },
    ],
    [
      "two connections of a client are left",
      (history) => delete history.connections.find(({ clientId }) => clientId === "roams")!.closedAt,
      {
        served: [
          /^more than one connection of a client is open in the end: 1, .*roams: to B from 0\.010 s, to C from 20\.100 s/,
        ],
      },
    ],
    [
      "an old connection gets a new message",
      (history) =>
        history.got.push({ ...findGot(history, "roams", "p3", 51), connection: 1, taken: false, at: 25_700 }),
      {
        served: [
          /^a session was served by two connections: 1, .*roams on B got p3 51 .* connection to C from 20\.100 s/,
        ],
      },
    ],
    [
      "an old connection gets an old message, much later",
      (history) =>
        history.got.push({ ...findGot(history, "roams", "p3", 31), connection: 1, taken: false, at: 25_700 }),
      { served: [/roams on B got p3 31/] },
    ],
    [
      "an old connection is answered",
      (history) => history.late.push({ clientId: "roams", connection: 1, what: "late 1", saidAt: 20_200, at: 20_300 }),
      {
        served: [
          /^a connection that another had replaced was answered: 1, the first is roams said late 1 to B at 20\.200 s/,
        ],
      },
    ],
    [
      "a session is lost on the way to another node",
      (history) => {
        const i = history.connections.findIndex(({ clientId, number }) => clientId === "roams" && number === 2)
        history.connections[i] = { ...history.connections[i]!, present: false }
      },
      {
        sessions: [
          /^a session was lost: 1, the first is roams came to C at 20\.100 s, and was on B before; then: round 1/,
        ],
      },
    ],
  ])("%s", (_, plant, expected) => {
    const lines = after(plant)
    expect(lines).toEqual(
      Object.fromEntries(
        Object.entries(expected).map(([name, patterns]) => [name, patterns.map((one) => expect.stringMatching(one))]),
      ),
    )
  })

  const willOf = (history: History) => history.got.find(({ payload }) => payload === "will 5")!
})

describe("no fault", () => {
  it.each<[string, (history: History) => void]>([
    [
      "what was not acknowledged is lost",
      (history) => {
        delete findSaid(history, "p1", 42).acknowledgedAt
        remove(history.got, ({ by, count }) => by === "p1" && count === 42)
      },
    ],
    [
      "QoS 0 is lost, and comes out of order on another connection",
      (history) => {
        for (const [count, connection] of [
          [201, 1],
          [202, 1],
          [203, 2],
        ] as const)
          sayZero(history, count, connection)
        for (const count of [203, 201]) getZero(history, count)
      },
    ],
    [
      "an old connection gets what was on its way",
      (history) =>
        history.got.push({ ...findGot(history, "roams", "p3", 37), connection: 1, taken: false, at: 20_200 }),
    ],
    [
      "an old connection gets QoS 0 on a node that is cut off",
      (history) => {
        history.said.push({ ...findSaid(history, "p1", 42), count: 201, qos: 0, topic: "messages/p1/1" })
        history.got.push({
          ...findGot(history, "roams", "p1", 42),
          ...{ count: 201, qos: 0, topic: "messages/p1/1", connection: 1, taken: false, at: 25_700 },
        })
      },
    ],
    [
      "a retained message that was never answered may be there",
      (history) => {
        delete findSaid(history, "p1", 101).acknowledgedAt
        ;(history.retained[0]!.found as Map<string, string>).set("retained/p1/1/0", "p1 1 1")
      },
    ],
    [
      "what was refused, and said before, is said again behind others",
      (history) => {
        swap(history, "there", "p2", 51, 53)
        findSaid(history, "p2", 51).times = 2
        findSaid(history, "p2", 60).refused = false
      },
    ],
    ["good-bye, just before the broker is killed", (history) => history.got.push(lateWill(history))],
  ])("%s", (_, plant) => {
    expect(after(plant)).toEqual({})
  })

  const lateWill = (history: History): Got => {
    return { ...history.got.find(({ payload }) => payload === "will 5")!, payload: "will 4", topic: "wills/4" }
  }

  it("QoS 1 is done by as many members as its publisher has said it times, on one connection and the next", () => {
    const history = calm()
    history.got.push({ ...findGot(history, "g1", "p1", 3), clientId: "g3", at: 60_000 })
    findSaid(history, "p1", 3).times = 2
    const again = findGot(history, "there", "p1", 3)
    expect(found(history)["shared"]).toBeUndefined()
    expect(again.qos).toBe(1)
    history.got.push({ ...findGot(history, "g1", "p1", 3), clientId: "g2", at: 60_100 })
    expect(found(history)["shared"]).toHaveLength(1)
  })

  it("QoS 1 is done by a second member, as the first loses its broker: it is counted", () => {
    const history = calm()
    const got = findGot(history, "g1", "p1", 39)
    history.got.push({ ...got, clientId: "g3", at: 24_000 })
    expect(found(history)).toEqual({})
    expect(handedOver(history, new Words(history))).toBe(1)
  })
})

it("a will may come or not where nobody can know what its broker heard", () => {
  const history = calm()
  const { end: _, ...base } = { ...history.wills[0]!, connectedAt: 30_000 }
  const end = { how: "lost", at: 32_000 } as const
  const fates = (will: Will) => fateOf(will, history)
  expect(fates({ ...base, end })).toBe("must")
  expect(fates(history.wills[0]!)).toBe("must")
  expect(fates(base)).toBe("may")
  expect(fates({ ...base, end, delay: 1000, backAt: 33_500 })).toBe("may")
  expect(fates({ ...base, end, delay: 1000, backAt: 32_500 })).toBe("never")
  history.faults.push({ round: 2, what: "broker B cut off", nodes: ["B"], from: 31_000, to: 31_500 })
  expect(fates({ ...base, end, delay: 1000, backAt: 32_500 })).toBe("may")
})

it("filters match as MQTT says", () => {
  expect(["#", "a/#", "a/b/#", "+/b", "a/+"].every((filter) => matches(filter, "a/b"))).toBe(true)
  expect(["a", "a/b/c", "+", "b/#", "a/+/+"].some((filter) => matches(filter, "a/b"))).toBe(false)
})
