// A connection that is only looked at, by its bytes and a key log, and one of which only one end has told: the models say the same of it.

import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { hex } from "./timelines.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const scenarios = ["full", "hello-retry", "client-certificate", "external-psk", "key-update", "hybrid"]
const play = (scenario: string) => engine.play({ scenario, provider: engine.fast(), seed: 7 })

function lookedAt(run: Timeline): Timeline {
  const chunks = run.steps.flatMap(({ happening: of }) =>
    of.type === "wire" ? [{ from: of.record.from, bytes: of.record.sent }] : [],
  )
  return engine.observe(chunks, engine.readKeyLog(engine.keyLogOf(run)), engine.fast())
}

/** What one end tells, and what is on the wire. */
function toldBy(end: "client" | "server", { steps }: Timeline): Timeline {
  const kept = steps.filter((step) => step.end === end || step.happening.type === "wire")
  return { steps: kept.map((step, index) => ({ ...step, index })), costs: [] }
}

const sealed = (timeline: Timeline) =>
  engine
    .protectedRecords(timeline)
    .map(({ record, key, nonce, secretName, generation }) => [
      hex(record),
      hex(key),
      hex(nonce),
      secretName,
      generation,
    ])
    .sort()

describe.each(scenarios)("%s", (scenario) => {
  it("has the same records, with their keys and nonces", () => {
    const run = play(scenario)
    expect(sealed(lookedAt(run))).toEqual(sealed(run))
    expect(sealed(toldBy("client", run))).toEqual(sealed(run))
    expect(sealed(toldBy("server", run))).toEqual(sealed(run))
  })

  it("costs the same bytes, by the same parts", () => {
    const run = play(scenario)
    const [{ parts, bytes, roundTrips }] = engine.costsOf(run) as [ReturnType<typeof engine.costsOf>[number]]
    for (const other of [lookedAt(run), toldBy("client", run), toldBy("server", run)]) {
      expect(engine.costsOf(other)[0]).toMatchObject({ parts, bytes, roundTrips })
    }
  })

  it("is read by the same thieves", () => {
    const run = play(scenario)
    const verdicts = (timeline: Timeline) =>
      engine
        .eyesAt(timeline, 100_000)
        .map(({ what, verdicts: { eavesdropper, "ticket-key": ticket, quantum } }) => [
          what,
          eavesdropper,
          ticket,
          quantum,
        ])
    for (const other of [lookedAt(run), toldBy("client", run), toldBy("server", run)]) {
      expect(verdicts(other)).toEqual(verdicts(run))
    }
  })

  it("has the secrets of the key log, and the keys that follow from them", () => {
    const run = play(scenario)
    const live = engine.scheduleOf(run, 0, "client").nodes
    const seen = engine.scheduleOf(lookedAt(run), 0, "client").nodes
    const value = (nodes: typeof live, id: string) =>
      hex(nodes.find((node) => node.id === id)?.value ?? new Uint8Array(0))
    for (const sender of ["client", "server"]) {
      for (const id of [`${sender}_handshake_traffic_secret`, `${sender}_application_traffic_secret_0`]) {
        for (const part of ["", ".key", ".iv"]) expect(value(seen, id + part)).toBe(value(live, id + part))
        expect(engine.stateAt(seen.find((node) => node.id === `${id}.key`)!, 100_000)).toBe("known")
      }
    }
    expect(value(seen, "exporter_secret")).toBe(value(live, "exporter_secret"))
  })

  it("is not said to lack what it has and nothing tells", () => {
    const run = play(scenario)
    for (const end of ["client", "server"] as const) {
      const live = engine.scheduleOf(run, 0, end)
      const schedule = engine.scheduleOf(lookedAt(run), 0, end)
      for (const node of schedule.nodes) {
        const own = live.nodes.find(({ id }) => id === node.id)!
        const [seen, has] = [node, own].map((each) => engine.stateAt(each, 100_000))
        if (has === "known")
          expect({ end, id: node.id, seen }).toMatchObject({ seen: expect.stringMatching(/known|not told/) })
        if (seen === "known" && node.value)
          expect({ id: node.id, value: hex(node.value) }).toEqual({ id: node.id, value: hex(own.value!) })
      }
      for (const id of ["main_secret", "handshake_secret", "dhe", "resumption_secret"])
        expect(engine.stateAt(engine.nodeOf(schedule, id)!, 100_000)).toBe("not told")
      expect(engine.isNeeded(schedule, engine.nodeOf(schedule, "main_secret")!)).toBe(true)
      expect(engine.isNeeded(schedule, engine.nodeOf(schedule, "resumption_secret")!)).toBe(false)
      // Without a PSK the first stage is made of zeros, and there is nothing of a binder.
      const hasPsk = scenario === "external-psk"
      expect(engine.stateAt(engine.nodeOf(schedule, "early_secret")!, 100_000)).toBe(hasPsk ? "not told" : "known")
      expect(engine.stateAt(engine.nodeOf(schedule, "binder_key")!, 100_000)).toBe(hasPsk ? "not told" : "never")
    }
  })

  it("has a transcript whose MACs are right, as far as their keys are known", () => {
    const uses = engine.hashUsesOf(lookedAt(play(scenario)), 0, "server")
    const finished = uses.filter(({ kind, id }) => kind === "mac" && id.startsWith("finished"))
    expect(finished.length).toBe(2)
    for (const use of finished) expect(use.kind === "mac" && engine.isRight(use)).toBe(true)
  })
})
