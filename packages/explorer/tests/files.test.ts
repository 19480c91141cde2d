// What goes out opens in tshark with the secrets inside, and what is brought in is what it was.

import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeSavedTrace } from "@puremq/tls13/trace"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Happening, Timeline } from "../src/run/step.ts"
import { loadEngine } from "./engine.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
})

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
    const events = run.steps.flatMap(({ end, happening }) => {
      if (end !== role) return []
      const { type } = happening
      if (!["record", "message", "alert", "secret", "keys", "state"].includes(type)) return []
      const { wire: _, fields: _f, written: _w, words: _o, ...event } = happening as unknown as Record<string, unknown>
      return [{ at: 0, event: { ...event, ...(type === "state" && { role }) } as never }]
    })
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
    for (const other of ["16 03 01", "{client}  send handshake record:", '{"format":"tls13-trace"']) {
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
