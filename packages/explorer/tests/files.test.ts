// What goes out opens in tshark with the secrets inside, and what is brought in is what it was.

import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeSavedTrace } from "@puremq/tls13/trace"
import { describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Happening, Timeline } from "../src/run/step.ts"
import { loadEngine } from "./engine.ts"
import { connectionsOf, hex, scenarioIds } from "./timelines.ts"

const engine: typeof Engine = await loadEngine()

const hasTshark = spawnSync("tshark", ["--version"]).status === 0
const utf8 = (text: string) => new TextEncoder().encode(text)
const play = (scenario: string) => engine.play({ scenario, provider: engine.noble(), seed: 3 })

function happenings<Type extends Happening["type"]>({ steps }: Timeline, type: Type, end?: string) {
  return steps.flatMap((step) =>
    step.happening.type === type && (end === undefined || step.end === end)
      ? [step.happening as Extract<Happening, { type: Type }>]
      : [],
  )
}

/** A step of an end, as its trace told of it. */
function traceEvent(happening: Happening, role: string): { readonly at: number; readonly event: never }[] {
  const { type } = happening
  if (!["record", "message", "alert", "secret", "keys", "state"].includes(type)) return []
  const { wire: _, fields: _f, written: _w, words: _o, ...event } = happening as unknown as Record<string, unknown>
  return [{ at: 0, event: { ...event, ...(type === "state" && { role }) } as never }]
}

function pick(
  all: ReadonlyMap<string, string>,
  names: readonly string[],
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(names.map((name) => [name, all.get(name)]))
}

describe("a pcapng of ours", () => {
  it.each(["full", "hello-retry", "resumption", "key-update", "client-certificate"])(
    "is read again: %s",
    (scenario) => {
      const run = play(scenario)
      const { connections, notes } = engine.readBrought(engine.pcapngOf(run, engine.now), "", engine.noble())
      expect(notes).toEqual([])
      expect(connections).toHaveLength(new Set(run.steps.map(({ connection }) => connection)).size)
      const seen = connections.map((connection) => connection.timeline())
      expect(seen.flatMap((timeline) => happenings(timeline, "event"))).toEqual([])
      const data = (timeline: Timeline) => happenings(timeline, "data", "server").map((each) => each.data)
      expect(seen.flatMap(data)).toEqual(data(run))
    },
  )

  it.skipIf(!hasTshark)("opens in tshark with the MQTT in it (skipped without tshark)", { timeout: 60_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), "explorer-"))
    try {
      for (const scenario of ["full", "key-update", "hybrid"]) {
        const file = join(folder, `${scenario}.pcapng`)
        writeFileSync(file, engine.pcapngOf(play(scenario), engine.now))
        const fields = ["-T", "fields", "-e", "mqtt.msgtype", "-e", "mqtt.topic", "-e", "mqtt.msg"]
        const { stdout, status } = spawnSync("tshark", ["-r", file, "-Y", "mqtt", ...fields], { encoding: "utf8" })
        expect(status).toBe(0)
        // CONNECT, CONNACK, SUBSCRIBE, SUBACK, PUBLISH.
        const types = stdout
          .trim()
          .split("\n")
          .map((line) => line.split("\t")[0])
        expect({ scenario, types: types.join(" ") }).toMatchObject({
          scenario,
          types: expect.stringContaining("1 2 8 9 3"),
        })
        expect(stdout).toContain("home/kitchen/temperature")
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe("a saved trace", () => {
  it.each(["client", "server"] as const)("of the %s shows what that end has seen", (role) => {
    const run = play("full")
    const events = run.steps.flatMap(({ end, happening }) => (end === role ? traceEvent(happening, role) : []))
    const text = writeSavedTrace({ role, started: engine.now, events, omitted: 2 })
    const { connections, notes } = engine.readBrought(utf8(text), "", engine.noble())
    expect(notes).toEqual(["2 events more came than the file has"])
    const seen = connections[0]!.timeline()
    for (const type of ["state", "secret", "message"] as const) {
      const plain = (list: readonly Happening[]) => list.map((each) => ({ ...each, written: [] }))
      expect(plain(happenings(seen, type, role))).toEqual(plain(happenings(run, type, role)))
    }
    expect(happenings(seen, "wire")).toHaveLength(happenings(run, "wire").length)
  })
})

describe.each(scenarioIds)("a saved trace of one end shows what that end has seen of the other: %s", (scenario) => {
  const run = play(scenario)
  const cases = connectionsOf(run).flatMap((connection) =>
    (["client", "server"] as const).map((role) => ({ connection, role })),
  )

  it.each(cases)("connection $connection, the $role's", ({ connection, role }) => {
    const here: Timeline = { steps: run.steps.filter((step) => step.connection === connection), costs: [] }
    const events = here.steps.flatMap(({ end, happening }) => (end === role ? traceEvent(happening, role) : []))
    // Whom somebody else speaks for saves nothing.
    if (events.length === 0) return
    const text = writeSavedTrace({ role, started: engine.now, events, omitted: 0 })
    const seen = engine.readBrought(utf8(text), "", engine.noble()).connections[0]!.timeline()
    const other = role === "client" ? "server" : "client"
    const isReplayed = happenings(run, "wire").some(({ record }) => record.fate === "injected") && connection === 2

    const sent = (timeline: Timeline, end: string, direction: string) =>
      happenings(timeline, "message", end).flatMap(({ name, message, direction: of }) =>
        of === direction ? [`${name} ${hex(message)}`] : [],
      )
    // All that was read here was sent there, and whatever was read there before is what was sent here.
    expect(sent(seen, other, "sent")).toEqual(sent(here, role, "received"))
    const read = sent(seen, other, "received")
    expect(read).toEqual(sent(here, role, "sent").slice(0, read.length))

    const states = (timeline: Timeline) =>
      happenings(timeline, "state", other).map(({ from, message, to }) => `${from} ${message} ${to}`)
    const reached = states(seen)
    if (!isReplayed) expect(reached).toEqual(states(here).slice(0, reached.length))
    expect(reached.length).toBeGreaterThan(0)

    const secrets = (timeline: Timeline, end: string) =>
      new Map(
        happenings(timeline, "secret", end).map(({ name, generation, secret }) => [
          `${name} ${generation}`,
          hex(secret),
        ]),
      )
    const theirs = secrets(seen, other)
    if (!isReplayed) expect(Object.fromEntries(theirs)).toEqual(pick(secrets(here, other), [...theirs.keys()]))
    expect(secrets(seen, role)).toEqual(secrets(here, role))

    for (const { what, verdicts } of engine.eyesAt(seen, seen.steps.length)) {
      for (const end of ["client", "server"] as const) {
        expect({ what, why: verdicts[end].why }).not.toEqual({
          what,
          why: expect.stringMatching(/somebody else|no key/),
        })
      }
    }
    // Each record that came is under the key that it was sealed with. A server does not see what it skips.
    const sealed = (timeline: Timeline, from: string) =>
      engine
        .protectedRecords(timeline)
        .flatMap((each) => (each.from === from ? [`${each.secretName} ${each.generation} ${each.sequenceNumber}`] : []))
    if (isReplayed) return
    expect(sealed(seen, role)).toEqual(sealed(here, role))
    if (scenario !== "0-rtt-rejected" || role === "client") expect(sealed(seen, other)).toEqual(sealed(here, other))
  })
})

describe("a saved trace, told of the other end", () => {
  const seenBy = (role: "client" | "server", scenario: string) => {
    const run = play(scenario)
    const last = run.steps.at(-1)!.connection
    const events = run.steps.flatMap(({ end, happening, connection }) =>
      end === role && connection === last ? traceEvent(happening, role) : [],
    )
    const text = writeSavedTrace({ role, started: engine.now, events, omitted: 0 })
    return engine.readBrought(utf8(text), "", engine.noble()).connections[0]!.timeline()
  }
  const lastState = (timeline: Timeline, end: "client" | "server") =>
    engine.endAt(timeline, 0, timeline.steps.length, end).state

  it("is as far as its messages show", () => {
    // A ticket shows that the client's Finished was read; without one nothing does.
    expect(lastState(seenBy("client", "resumption"), "server")).toBe("CONNECTED")
    expect(lastState(seenBy("client", "full"), "server")).toBe("WAIT_FINISHED")
    expect(lastState(seenBy("server", "full"), "client")).toBe("CONNECTED")
  })

  it("has the keys that it must have, and may have read what it was sent", () => {
    const timeline = seenBy("client", "full")
    const server = engine.endAt(timeline, 0, timeline.steps.length, "server")
    expect(server.keys).toEqual({
      sent: "server_application_traffic_secret",
      received: "client_application_traffic_secret",
    })
    const finished = engine.eyesAt(timeline, timeline.steps.length).find(({ what }) => what === "client Finished")!
    expect(finished.verdicts.server).toEqual({
      ...{ reads: true, section: "5.2" },
      why: "It has client_handshake_traffic_secret; only a trace of its own would tell when it reads it.",
    })
  })

  it("takes 0-RTT data, or not, as it has said", () => {
    const early = (scenario: string) =>
      engine
        .eyesAt(seenBy("client", scenario), 100_000)
        .find(({ record }) => record.protection?.secretName === "client_early_traffic_secret")!.verdicts.server
    expect(early("0-rtt")).toMatchObject({ reads: true })
    expect(early("0-rtt-rejected")).toMatchObject({ reads: false, why: expect.stringMatching(/takes no 0-RTT data/) })
  })
})

it("has in a capture what was sent to somebody who only stands in an end's place", () => {
  const run = play("0-rtt-replayed")
  const { connections } = engine.readBrought(engine.pcapngOf(run, engine.now), "", engine.noble())
  expect(connections).toHaveLength(3)
  const count = (from: string) => happenings(run, "wire").filter(({ record }) => record.from === from).length
  const seen = connections.flatMap((connection) => happenings(connection.timeline(), "wire"))
  for (const from of ["client", "server"])
    expect({ from, count: seen.filter(({ record }) => record.from === from).length }).toEqual({
      from,
      count: count(from),
    })
})

describe("a capture without its secrets", () => {
  it("shows nobody reading what is sealed", () => {
    const run = play("full")
    const chunks = happenings(run, "wire").map(({ record }) => ({ from: record.from, bytes: record.sent }))
    const seen = engine.observe(chunks, engine.nothingKnown, engine.noble())
    const rows = engine.eyesAt(seen, seen.steps.length)
    const sealed = rows.filter(({ record }) => record.wire.sent[0] === 23)
    expect(sealed.length).toBeGreaterThan(5)
    for (const { verdicts } of sealed) expect(Object.values(verdicts).map(({ reads }) => reads)).not.toContain(true)
  })

  it("knows a key log from what it goes with", () => {
    const lines = happenings(play("full"), "secret").flatMap((secret) => engine.keyLogLine(secret) ?? [])
    expect(engine.isKeyLog(utf8(`# a key log\n${lines.join("\n")}\n`))).toBe(true)
    for (const other of [
      "16 03 01",
      "# of a capture\n16 03 01 00 c8",
      "# nothing",
      "{client}  send handshake record:",
      '{"format":"tls13-trace"',
    ]) {
      expect(engine.isKeyLog(utf8(other))).toBe(false)
    }
  })
})

describe("what cannot be read", () => {
  it("is refused in one line", () => {
    const cases: [Uint8Array, RegExp][] = [
      [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0), /compressed \(gzip\)/],
      [utf8('{"format":"other"}'), /no saved trace/],
      [utf8("nonsense"), /no hexadecimal digit/],
      [engine.pcapngOf({ steps: [], costs: [] }, 0), /no TCP connection/],
    ]
    for (const [file, message] of cases) {
      expect(() => engine.readBrought(file, "", engine.noble())).toThrow(message)
      expect(() => engine.readBrought(file, "", engine.noble())).toThrow(engine.NotReadable)
    }
  })
})
