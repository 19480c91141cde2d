// The screen of `puremq top`: numbers in, lines out.

import { describe, expect, it } from "vitest"
import { numbersOf, pointOf } from "../../../admin/words/numbers.ts"
import { bridgesIn, brokerIn, certificatesIn, clientsIn, failuresIn, nodesIn, refusalsIn } from "./answers.ts"
import { afterKey, keysIn } from "./keys.ts"
import { painted, plainText } from "./line.ts"
import { screenOf } from "./screen.ts"
import { sorts, type TopState, type View } from "./state.ts"
import { cellsOf, clipped, told } from "./text.ts"

const now = Date.parse("2026-11-30T12:00:00Z")
const timeOf = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString()

const view: View = {
  columns: 100,
  rows: 36,
  unicode: true,
  sort: "waiting",
  paused: false,
  offset: 0,
  help: false,
  keys: true,
}

/** What a broker answers; each text in it is made by `name`. */
function answers(name: (usual: string) => string) {
  const client = (clientId: string, more: object) => ({
    clientId: name(clientId),
    user: name("ann"),
    address: name("192.0.2.7:50412"),
    since: timeOf(4000),
    tls: { version: name("TLSv1.3"), postQuantum: true },
    subscriptions: 3,
    inflight: 0,
    queuedMessages: 0,
    queuedBytes: 0,
    outboundBytes: 0,
    ...more,
  })
  const failure = { peer: name("192.0.2.9:4711"), listener: name("tls"), fault: "client", turnedAway: false }
  const refusal = { kind: "login", peer: name("192.0.2.8:9"), clientId: name("pump"), user: name("bob") }
  return {
    broker: {
      version: name("0.1.0"),
      startedAt: timeOf(7200),
      health: "ok",
      clients: 3,
      limits: {},
      draining: undefined,
    },
    clients: {
      items: [
        client("pump-7", { queuedMessages: 1200, queuedBytes: 250_000 }),
        client("kitchen", { outboundBytes: 5000 }),
        client("lamp", { inflight: 20, tls: undefined }),
      ],
    },
    failures: {
      items: [
        { ...failure, at: timeOf(20), alert: "unknown_ca", reason: name("the peer sent the alert unknown_ca") },
        {
          ...failure,
          at: timeOf(30),
          alert: "protocol_version",
          reason: name("old"),
          offer: { versions: [name("TLSv1.2")] },
        },
      ],
    },
    refusals: { items: [{ ...refusal, at: timeOf(5), reason: name("wrong password [MQTT-3.1.4-2]") }] },
    bridges: [
      {
        name: name("cloud"),
        connected: false,
        failures: 2,
        waiting: 3,
        lastFailure: { reason: name("connection refused") },
      },
    ],
    nodes: [
      { name: name("hall"), state: "this", clients: 3 },
      { name: name("attic"), state: "there", clients: 40 },
      { name: name("cellar"), state: "gone", clients: 2 },
    ],
    certificates: {
      certificates: [{ listener: name("tls"), role: "server", subject: name("CN=broker"), daysLeft: 5 }],
      revocationLists: [],
    },
  }
}

const histogram = (...counts: number[]) => ({ bounds: [0.001, 0.01, 0.1, 1], counts })
function metricsAt(second: number) {
  const eventLoopDelay = histogram(100 * second, second, 0, 0, 0)
  const delivery = histogram(10 * second, 5 * second, 0, 0, 0)
  return {
    uptimeSeconds: 7000 + second,
    clientsConnected: 3,
    publishReceived: 100 * second * (1 + Math.sin(second / 3)),
    publishSent: 1234 * second,
    bytesReceived: 1e6 * second,
    bytesSent: 3e6 * second,
    handshakes: 2 * second,
    heapBytes: 40e6 + 1e5 * second,
    queuedBytes: 250_000,
    storedMessages: 1200,
    tlsAgreed: [
      { count: second, postQuantum: true, resumed: false },
      { count: second, postQuantum: false, resumed: true },
    ],
    handshakeFailures: { unknown_ca: second },
    process: { residentBytes: 120e6, cpuSeconds: second / 4 },
    timings: { eventLoopDelay, delivery, commit: histogram(0, 0, 0, 0, 0) },
  }
}

function stateOf(name: (usual: string) => string = (usual) => usual, more: Partial<TopState> = {}): TopState {
  const { broker, bridges, nodes, clients, failures, refusals, certificates } = answers(name)
  const taken = Array.from({ length: 40 }, (_, i) => numbersOf(metricsAt(i * 2), now - (39 - i) * 2000))
  return {
    place: "http://127.0.0.1:8884",
    link: { state: "there" },
    broker: brokerIn(broker),
    numbers: taken.at(-1),
    earlier: taken[0],
    points: taken.slice(1).map((one, i) => pointOf(one, taken[i]!)),
    bridges: bridgesIn(bridges),
    nodes: nodesIn(nodes),
    certificates: certificatesIn(certificates),
    failures: failuresIn(failures),
    refusals: refusalsIn(refusals),
    clients: clientsIn(clients),
    now,
    interval: 2,
    ...more,
  }
}

const linesOf = (state: TopState, more: Partial<View> = {}) =>
  screenOf(state, { ...view, ...more }).map((line) => plainText(line))
const textOf = (state: TopState, more: Partial<View> = {}) => linesOf(state, more).join("\n")

describe("the screen", () => {
  it("says of a bridge that is away why, and what waits for it", () => {
    const said = "The bridge cloud is not connected: connection refused (3 messages waiting)."
    expect(linesOf(stateOf(), { columns: 120, rows: 40 }).join("\n")).toContain(said)
  })

  it("says of the nodes of a cluster how many clients each has, and who is gone; one that is alone is none", () => {
    const text = textOf(stateOf(), { columns: 120, rows: 40 })
    expect(text).toContain("CLUSTER  2 nodes, 43 clients:  hall (this one) 3, attic 40, cellar gone")
    expect(text).toContain("The node cellar is gone (it had 2 clients): the others see to its sessions.")
    const alone = stateOf(undefined, { nodes: nodesIn([{ name: "hall", state: "this", clients: 3 }]) })
    expect(textOf(alone)).not.toContain("CLUSTER")
  })

  it("says in words how it is, and shows what there is", () => {
    const text = textOf(stateOf())
    expect(text).toMatch(/^PureMQ 0\.1\.0 {2}http:\/\/127\.0\.0\.1:8884 .*every 2 s/)
    expect(text).toMatch(/ BAD {2}One thing needs you now.*: 3 clients connected, up for 2 hours\./)
    expect(text).toMatch(/!! The certificate of tls \(CN=broker\) expires in 5 days\./)
    expect(text).toMatch(/msgs out +1 234\/s +[▁-█]{10,}/)
    expect(text).toMatch(/bytes in +1 MB\/s/)
    expect(text).toMatch(/TLS ok +2\/s/)
    expect(text).toMatch(/TLS failed +1\/s/)
    expect(text).toMatch(/CPU +25 %/)
    expect(text).toMatch(/loop delay +[\d. ]+ (ms|µs) /)
    expect(text).toMatch(/HANDSHAKES {2}79 failed in 5 min; 156 ok in 1 min, 50 % post-quantum, 50 % resumed/)
    expect(text).toMatch(/78 {2}unknown_ca .* 192\.0\.2\.9 does not trust this broker's certificate\./)
    expect(text).toMatch(/1 {2}protocol_version .* 192\.0\.2\.9 offered TLS 1\.2 only; this broker speaks TLS /)
    expect(text).toMatch(/1 {2}login refused .* 192\.0\.2\.8 as bob \(pump\): wrong password\n?/)
    expect(text).toMatch(/WAITING▾ .*CLIENT/)
    expect(text).toMatch(/1 200 +250 kB +0 B +0 +3 +66 min {2}1\.3 pq +192\.0\.2\.7 +pump-7/)
  })

  it("has lines of exactly the terminal's width, and no more than it has, in every size", () => {
    for (let columns = 40; columns <= 240; columns += 19) {
      for (let rows = 10; rows <= 70; rows += 9) {
        for (const more of [{}, { help: true }, { unicode: false }, { keys: false }]) {
          const lines = linesOf(stateOf(), { columns, rows, ...more })
          expect(lines.length).toBeLessThanOrEqual(rows)
          for (const line of lines) expect(cellsOf(line), `${columns}x${rows}: ${line}`).toBe(columns)
        }
      }
    }
  })

  it("keeps something of each part on the smallest and on a usual terminal", () => {
    for (const size of [
      { columns: 60, rows: 24 },
      { columns: 80, rows: 24 },
    ]) {
      const text = textOf(stateOf(), size)
      for (const part of ["TRAFFIC", "CONNECTIONS", "QUEUES", "PROCESS", "HANDSHAKES", "CLIENTS", "pump-7", "q quit"])
        expect(text).toContain(part)
    }
  })

  it("of a broker that is away says since when, why and when it is asked again, with the numbers of before", () => {
    const why = "the connection is refused: nothing listens there; start it, or look in its log for why it ended"
    const lost = { state: "lost", since: now - 12_000, why, again: now + 4000 } as const
    const text = textOf(stateOf(undefined, { link: lost }), { columns: 60, rows: 24 })
    expect(text).toMatch(/ AWAY {2}no answer since \d\d:\d\d:\d\d, asking again in 4 s/)
    expect(text.replace(/\s+/g, " ")).toContain(why)
    expect(text).toContain("TRAFFIC")
    const begins = stateOf(undefined, { link: { state: "begins" }, broker: undefined, numbers: undefined })
    expect(textOf(begins)).toContain("asking http://127.0.0.1:8884")
  })

  it("of an empty broker, and one of more clients than it looks at", () => {
    expect(textOf(stateOf(undefined, { clients: [] }))).toContain("no client is connected")
    const broker = brokerIn({ ...answers((usual) => usual).broker, clients: 100_000 })
    expect(textOf(stateOf(undefined, { broker }))).toContain("3 of 100 000 looked at")
  })

  it("sorts and scrolls", () => {
    const first = (more: Partial<View>) => /CLIENT\S*\s*\n.* (\S+) *\n/.exec(textOf(stateOf(), more))?.[1]
    expect(sorts.map((sort) => first({ sort }))).toEqual(["pump-7", "kitchen", "lamp", "kitchen", "kitchen", "kitchen"])
    const clients = Array.from({ length: 100 }, (_, i) => ({ ...stateOf().clients[0]!, clientId: `c${100 + i}` }))
    const state = stateOf(undefined, { clients })
    const scrolled = textOf(state, { sort: "client", offset: 40 })
    expect(scrolled).toMatch(/c140/)
    expect(scrolled).not.toMatch(/c139/)
    // Never past the last.
    expect(textOf(state, { sort: "client", offset: 5000 })).toMatch(/c199/)
  })
})

const escaped = (text: string) => text.replaceAll("\u001b", "ESC")

const hostile = [
  "\u001b[2J\u001b]0;title\u0007\u009b31m",
  "a\r\nb\u2028c\u0085",
  "\u202eexe.gnp\u2066\u200b\u200d\ufeff",
  `z${"\u0301".repeat(50)}`,
  "\u0301\ufe0f\u{e0100}",
  "\u65e5\u672c\u8a9e".repeat(30),
  "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}\ufe0f".repeat(10),
  "\ud800x\udfff",
  "\u{f0000}\u{10ffff}\u0378",
  "x".repeat(100_000),
  "%s\t\b\u007f\\",
  "\u0645\u0631\u062d\u0628\u0627",
  "\u1100\u1161\u11a8\uff21\u3000",
]

describe("what a peer has said", () => {
  it.each(hostile)("never reaches the terminal raw: %j", (text) => {
    for (const unicode of [true, false]) {
      for (const columns of [60, 100, 160]) {
        const state = stateOf(() => text, { link: { state: "there" } })
        const lost = { state: "lost", since: now, why: text, again: now } as const
        for (const each of [state, { ...state, link: lost }]) {
          for (const line of screenOf(each, { ...view, columns, unicode })) {
            const plain = plainText(line)
            expect(plain).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Variation_Selector}]|\p{M}{3}/u)
            if (!unicode) expect(plain).toMatch(/^[ -~]*$/)
            expect(cellsOf(plain)).toBe(columns)
            // With colours there is nothing but ours.
            expect(escaped(painted(line, "colour")).replace(/ESC\[[\d;]+m/g, "")).toBe(plain)
          }
        }
      }
    }
  })

  it("stays as it is where it is text", () => {
    for (const text of ["pump-7", "K\u00fcche", "\u65e5\u672c", "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0645\u0631"])
      expect(told(text, 100, true)).toBe(text)
    expect(told("z\u0301\u0302\u0303", 100, true)).toBe("z\u0301\u0302\\u{303}")
  })

  it("has as many cells as a terminal gives it", () => {
    const cells = ["abc", "\u65e5\u672c", "e\u0301", "\u{1f600}", "\uff21", "\uac00", "\u2581", ""].map(cellsOf)
    expect(cells).toEqual([3, 4, 1, 2, 2, 2, 1, 0])
    expect(clipped("\u65e5\u672c\u8a9e", 4, true)).toBe("\u65e5\u2026")
    expect(clipped("abcdef", 4, false)).toBe("abc.")
  })
})

describe("an answer that is none", () => {
  const junk: readonly unknown[] = [
    undefined,
    null,
    0,
    "x",
    [],
    {},
    [null, 1, "x", [], { items: 1 }],
    { items: [null, 1, {}] },
  ]

  it("is taken for what it may be", () => {
    for (const each of junk) {
      const inside = {
        items: junk,
        certificates: junk,
        revocationLists: junk,
        timings: each,
        process: each,
        tlsAgreed: each,
      }
      for (const body of [each, inside, { ...inside, handshakeTimes: junk, handshakeFailures: each }]) {
        expect(() => [
          bridgesIn(body),
          nodesIn(body),
          failuresIn(body),
          refusalsIn(body),
          clientsIn(body),
          certificatesIn(body),
        ]).not.toThrow()
        const state = stateOf(undefined, {
          numbers: numbersOf(Object.assign({}, body), now),
          failures: failuresIn(body),
          refusals: refusalsIn(body),
          clients: clientsIn(body),
          bridges: bridgesIn(body),
          nodes: nodesIn(body),
          certificates: certificatesIn(body),
          broker: brokerIn({ version: "1", startedAt: "never", ...Object.assign({}, body) }),
        })
        for (const line of linesOf(state)) expect(cellsOf(line)).toBe(100)
      }
    }
  })
})

describe("keys", () => {
  it("are those that a terminal sends, each once, and no others", () => {
    expect(keysIn("q")).toEqual(["quit"])
    expect(keysIn("\u0003sS p?j\u001b[A\u001bOB\u001b[5~\u001b[6~g\u001b[1;5C\u001b[200~x\u00e9")).toEqual([
      ...["quit", "next sort", "sort before", "pause", "pause", "help", "down", "up", "down", "page up", "page down"],
      "home",
    ])
  })

  it("change how it is looked at", () => {
    const { length } = sorts
    let turned = view
    for (let i = 0; i < length; i++) turned = afterKey(turned, "next sort")
    expect(turned).toEqual(view)
    expect(afterKey(view, "sort before").sort).toBe(sorts.at(-1))
    expect(afterKey(afterKey(view, "page down"), "up").offset).toBe(9)
    expect(afterKey(view, "up").offset).toBe(0)
    expect(afterKey(view, "pause").paused && afterKey(view, "help").help).toBe(true)
  })
})

it("colours say nothing alone: without them there is bold and reverse, or no escape sequence at all", () => {
  const lines = screenOf(stateOf(), view)
  const all = (mode: Parameters<typeof painted>[1]) => escaped(lines.map((line) => painted(line, mode)).join("\n"))
  expect(all("colour")).toMatch(/ESC\[3\dm|ESC\[1;3/)
  expect(all("no colour")).toMatch(/ESC\[1;7m/)
  expect(all("no colour")).not.toMatch(/ESC\[(?:\d;)*[34][0-7]/)
  expect(all("none")).not.toContain("ESC")
})
