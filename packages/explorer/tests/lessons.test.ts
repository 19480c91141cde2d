// Every link of every lesson leads to a step in which there is what the lesson says, whichever cryptography and seed; and every view,
// break and section that a lesson names exists.

import { readFileSync } from "node:fs"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Step, Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")
const ids = (source: string) => new Set([...source.matchAll(/\bid: "([\w-]+)"/g)].map(([, id]) => id!))

/** The links of all lessons, each with where it stands. */
function allLinks(): readonly { readonly of: string; readonly link: Engine.Link }[] {
  return engine.lessons.flatMap((lesson) =>
    engine.links(lesson).map((link) => ({ of: `${lesson.id}: ${link.text}`, link })),
  )
}

const runs = new Map<string, Timeline>()
function played(run: ReturnType<typeof engine.runOfLink>): Timeline {
  const key = JSON.stringify(run)
  const known = runs.get(key)
  if (known) return known
  const timeline = engine.play({ ...run, provider: engine[run.provider]() })
  runs.set(key, timeline)
  return timeline
}

const page = (seed: number, provider: "noble" | "fast" = "fast") => ({
  ...engine.addressOf(`#scenario=full&seed=${seed}&provider=${provider}`),
})

describe("the lessons", () => {
  it("are twelve, with two to five paragraphs, a question and an answer each", () => {
    expect(engine.lessons).toHaveLength(12)
    expect(new Set(engine.lessons.map(({ id }) => id)).size).toBe(12)
    for (const { id, paragraphs, question, answer, sections } of engine.lessons) {
      const counts = { id, paragraphs: paragraphs.length, sections: sections.length }
      expect(counts.paragraphs, id).toBeGreaterThanOrEqual(2)
      expect(counts.paragraphs, id).toBeLessThanOrEqual(5)
      expect(counts.sections, id).toBeGreaterThan(0)
      expect(question.some((part) => typeof part !== "string") && answer.length > 0, id).toBe(true)
      // A lesson is read in the address as it is written there.
      expect(engine.addressOf(`#lesson=${id}`).lesson).toBe(id)
    }
  })

  it("name scenarios, breaks, checks and views that exist", () => {
    const views = ids(text("../src/views/views.ts"))
    for (const { of, link } of allLinks()) {
      expect(views, of).toContain(link.view)
      expect(
        engine.scenarios.map(({ id }) => id),
        of,
      ).toContain(link.scenario)
      if (link.item !== undefined) {
        const [view, chosen] = link.item.split("/")
        expect([view, engine.eyes.some(({ id }) => id === chosen)], of).toEqual([link.view, view === "eyes"])
      }
      if (link.breaks === undefined) continue
      const broken = engine.breaks.find(({ id }) => id === link.breaks)
      expect(broken?.scenario, of).toBe(link.scenario)
      if (link.without !== undefined) expect(broken?.check, of).toBe(link.without)
    }
  })

  it("name sections of RFC 9846 that exist", () => {
    const known = knownSections()
    for (const { id, sections } of engine.lessons) {
      for (const section of sections)
        if (/^[A-F\d]/.test(section)) expect(known, `${id}: ${section}`).toContain(section)
    }
  })
})

describe.each([1, 2, 7, 4_294_967_295])("of seed %i", (seed) => {
  it("every link leads to its step", () => {
    for (const { of, link } of allLinks()) {
      const timeline = played(engine.runOfLink(link, page(seed)))
      const { step, field } = engine.addressOfLink(link, timeline, page(seed))
      expect(step, of).toBeTypeOf("number")
      expect(fits(timeline.steps[step!]!, link), of).toBe(true)
      if (link.field !== undefined) expect(field, of).toMatch(/^\d+-\d+$/)
      // What the page reads from the link is what was meant.
      const hash = engine.hashOfLink(link, timeline, page(seed))
      expect(engine.addressOf(hash), of).toEqual(engine.addressOfLink(link, timeline, page(seed)))
    }
  })
})

it("every link leads to the same step with the fast provider", () => {
  for (const { of, link } of allLinks()) {
    const address = (provider: "noble" | "fast") => {
      const { step, field } = engine.addressOfLink(
        link,
        played(engine.runOfLink(link, page(3, provider))),
        page(3, provider),
      )
      return { step, field }
    }
    expect(address("fast"), of).toEqual(address("noble"))
  }
})

it("finds no step for what does not happen", () => {
  const timeline = played(engine.runOfLink(allLinks()[0]!.link, page(1)))
  const wanted = { type: "message", of: "client", direction: "sent", name: "hello_retry_request" } as const
  expect(engine.stepOf({ scenario: "full", wanted }, timeline)).toBeUndefined()
  expect(engine.stepOf({ scenario: "full", wanted: { type: "closed", connection: 1 } }, timeline)).toBeUndefined()
})

describe("what the answers say", () => {
  const steps = (scenario: string, seed = 1, breaks?: string, without?: string) =>
    engine.play({ scenario, seed, breaks, without, provider: engine.fast() }).steps
  type Message = Extract<Step["happening"], { type: "message" }>
  const sent = (scenario: string, name: string, seed = 1) =>
    steps(scenario, seed).find(({ happening }) => happening.type === "message" && happening.name === name)!
      .happening as Message

  it("key-share: three fields of a ClientHello depend on the seed", () => {
    const [one, two] = [sent("full", "client_hello", 1), sent("full", "client_hello", 2)]
    const changed = new Set<string>()
    const leaves = (fields: Message["fields"]): Message["fields"] =>
      fields.flatMap((field) => (field.fields.length > 0 ? leaves(field.fields) : [field]))
    for (const { name, start, end } of leaves(one.fields)) {
      const same = one.message.subarray(start, end).every((byte, at) => byte === two.message[start + at])
      if (!same) changed.add(name)
    }
    expect([...changed]).toEqual(["random", "legacy_session_id", "key_exchange"])
  })

  it("key-schedule: the last secret is resumption_secret, at both ends", () => {
    for (const end of ["client", "server"]) {
      const last = steps("full").findLast((step) => step.end === end && step.happening.type === "secret")?.happening
      expect(last).toMatchObject({ name: "resumption_secret" })
    }
  })

  it("records: CONNECT is the first record under its key", () => {
    const all = steps("full")
    const keys = all.findLastIndex(
      ({ end, happening: one }) => end === "client" && one.type === "keys" && one.direction === "sent",
    )
    const connect = all.findIndex(({ happening: one }) => one.type === "action" && one.text === "sends CONNECT")
    const between = all
      .slice(keys, connect)
      .filter(
        ({ end, happening: one }) =>
          end === "client" && one.type === "record" && one.protected && one.direction === "sent",
      )
    expect(keys).toBeLessThan(connect)
    expect(between).toEqual([])
  })

  it("hybrid: 1,216 and 1,120 bytes instead of 32", () => {
    const share = ({ fields, message }: Message): number => {
      const find = (among: Message["fields"]): number | undefined => {
        for (const { structure, name, kind, start, end, fields: inside } of among) {
          if (structure === "key_share" && name === "key_exchange" && kind === "vector") return end - start
          const found = find(inside)
          if (found !== undefined) return found
        }
        return undefined
      }
      return find(fields) ?? message.length
    }
    expect(share(sent("hybrid", "client_hello"))).toBe(1216)
    expect(share(sent("hybrid", "server_hello"))).toBe(1120)
    expect(share(sent("full", "client_hello"))).toBe(32)
  })

  it("certificate, finished, close: how far a broken connection gets", () => {
    const has = (all: readonly Step[], type: string, name?: string) =>
      all.some(
        ({ end, happening: one }) =>
          end === "client" && one.type === type && (name === undefined || ("name" in one && one.name === name)),
      )
    const strange = steps("full", 1, "unknown-authority", "certificate-path")
    expect([has(strange, "failed"), has(strange, "data")]).toEqual([false, true])
    expect(has(steps("full", 1, "flip-hello"), "message", "finished")).toBe(false)
    const cut = steps("full", 1, "cut")
    const clean = steps("full")
    const given = (all: readonly Step[]) =>
      all.filter(({ end, happening: one }) => end === "client" && one.type === "data").length
    expect(has(cut, "alert")).toBe(false)
    expect(given(cut)).toBe(given(clean) - 1)
  })

  it("early-data: where the server goes with the guard, and without it", () => {
    const goesTo = (without?: string) =>
      steps("0-rtt-replayed", 1, "replay", without).find(
        ({ connection, end, happening: one }) => connection === 2 && end === "server" && one.type === "state",
      )?.happening
    expect(goesTo()).toMatchObject({ to: "WAIT_FINISHED" })
    expect(goesTo("replay")).toMatchObject({ to: "WAIT_EOED" })
  })
})

/** Written again, plainly: the step is what the link describes. */
function fits(step: Step, { wanted, scenario }: Engine.Link): boolean {
  const { of, connection, which: _, ...happening } = wanted
  expect(step.happening).toMatchObject(happening)
  const focus = engine.scenarios.find(({ id }) => id === scenario)?.focus ?? 0
  return (of === undefined || of === (step.end ?? "wire")) && step.connection === (connection ?? focus)
}

/** Those with requirements, those that the RFC's own sentences point to, and those of the table of docs/conformance.md. */
function knownSections(): ReadonlySet<string> {
  const file = text("../../../test-vectors/rfc9846/requirements.json")
  const requirements = JSON.parse(file) as { sections: object }
  const pointedTo = [...file.matchAll(/Sections? (\d+(?:\.\d+)*)(?! of)/g)].map(([, section]) => section!)
  const [, table = ""] = /## RFC 9846 \(TLS 1\.3\)\n\n([\s\S]*?)\n\n/.exec(text("../../../docs/conformance.md")) ?? []
  const rows = table.split("\n").flatMap((row) => row.split("|")[1]!.trim().split(", "))
  expect(rows.length).toBeGreaterThan(20)
  return new Set([...Object.keys(requirements.sections), ...pointedTo, ...rows])
}
