// What is said of an end at a step: where it is, and what it would take next.

import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { connectionsOf, scenarioIds } from "./timelines.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const play = (scenario: string, breaks?: string) => engine.play({ scenario, provider: engine.fast(), seed: 7, breaks })

describe.each(scenarioIds)("%s", (scenario) => {
  it("says of no end that it would take a message while it is at work on one", () => {
    const timeline = play(scenario)
    const { steps } = timeline
    let under = 0
    for (const connection of connectionsOf(timeline)) {
      for (const end of ["client", "server"] as const) {
        const own = steps.filter((step) => step.connection === connection && step.end === end)
        own.forEach(({ happening, index }, at) => {
          const { answering, legal } = engine.endAt(timeline, connection, index, end)
          expect(answering !== undefined && legal.length > 0).toBe(false)
          if (happening.type !== "message" || happening.direction !== "received") return
          // Up to the step to its next state, of this message or of one behind it.
          const done = own.slice(at + 1).findIndex((step) => ["state", "failed"].includes(step.happening.type))
          if (done < 0) return
          for (const step of own.slice(at, at + 1 + done)) {
            const there = engine.endAt(timeline, connection, step.index, end)
            const isRead = own
              .slice(0, own.indexOf(step) + 1)
              .findLast((each) => each.happening.type === "message" && each.happening.direction === "received")
            expect({ end, step: step.index, answering: there.answering, legal: there.legal }).toEqual({
              ...{ end, step: step.index, legal: [] },
              answering: isRead?.happening.type === "message" ? isRead.happening.name : "",
            })
            under++
          }
          expect(engine.endAt(timeline, connection, own[at + 1 + done]!.index, end).answering).toBeUndefined()
        })
      }
    }
    expect(under).toBeGreaterThan(10)
  })
})

it("a server that has read ClientHello takes nothing until its flight is written", () => {
  const timeline = play("full")
  const at = (step: number) => engine.endAt(timeline, 0, step, "server")
  for (let step = 7; step <= 26; step++) expect(at(step)).toMatchObject({ answering: "client_hello", legal: [] })
  expect(at(5).legal.length).toBeGreaterThan(0)
  expect(at(27)).toMatchObject({ state: "WAIT_FINISHED", answering: undefined })
})

it("who gives up was at work on what it has read, and is over then", () => {
  const timeline = play("full", "bad-finished")
  const failed = timeline.steps.find(({ happening }) => happening.type === "failed")!
  expect(engine.endAt(timeline, 0, failed.index - 1, "client").answering).toBe("finished")
  expect(engine.endAt(timeline, 0, failed.index, "client").answering).toBeUndefined()
})

const sentences = (scenario: string, breaks?: string) => play(scenario, breaks).steps.map(engine.sentenceOf)

it("calls a HelloRetryRequest by its name wherever it leads", () => {
  expect(sentences("hello-retry").map(({ text }) => text)).toContain(
    "The client stays in WAIT_SH on HelloRetryRequest.",
  )
})

it("says of no key share and no key exchange what is not there", () => {
  const said = sentences("psk-ke").map(({ text, why }) => `${text} ${why}`)
  const hellos = said.filter((each) => each.includes("ServerHello,"))
  expect(hellos.length).toBeGreaterThan(2)
  for (const each of hellos) expect(each).toContain("a key share, a pre-shared key, or both")
  for (const each of said.filter((text) => text.includes("handshake_secret"))) expect(each).toContain("or zeros")
  for (const each of sentences("hello-retry").filter(({ text }) => text.includes("ClientHello,")))
    expect(each.why).toMatch(/guesses or was asked for/)
})

it("has an MQTT client that sends CONNECT once on each connection [MQTT-3.1.0-2]", () => {
  for (const scenario of scenarioIds) {
    const timeline = play(scenario)
    for (const connection of connectionsOf(timeline)) {
      const connects = timeline.steps.filter(
        ({ connection: of, end, happening }) =>
          of === connection && end === "server" && happening.type === "data" && happening.data[0] === 0x10,
      )
      expect({ scenario, connects: connects.length }).toMatchObject({
        connects: expect.toSatisfy((n: number) => n < 2),
      })
    }
  }
})

it("says of the records in the wrong order which they are", () => {
  const broken = engine.breaks.find(({ id }) => id === "reorder")!
  const wires = play(broken.scenario, broken.id).steps.flatMap(({ connection, happening: of }) =>
    connection === 0 && of.type === "wire" && of.record.from === "server" ? [of.record] : [],
  )
  const late = wires.findIndex(({ fate }) => fate === "delayed")
  // Section 4: a ServerHello in the clear, and behind it what is encrypted.
  expect(wires[late]!.sent.subarray(0, 6)).toMatchObject({ 0: 22, 5: 2 })
  expect(wires[late - 1]!.sent[0]).toBe(23)
  expect(broken.about).toBe("The encrypted record behind the ServerHello arrives before it.")
})

it("a share of small order is refused; without the check both are connected, with a secret of zeros", () => {
  const options = { scenario: "full", provider: engine.noble(), seed: 7, breaks: "zero-share" }
  const connected = (without?: string) =>
    engine.play({ ...options, without }).steps.filter(({ happening }) => happening.type === "connected").length
  expect(connected()).toBe(0)
  expect(connected("small-order-point")).toBe(2)
  const cut = engine.play({ ...options, without: "small-order-point" })
  expect(cut.steps.filter(({ happening }) => happening.type === "failed")).toEqual([])
  const dhe = engine.nodeOf(engine.scheduleOf(cut, 0, "client"), "dhe")!
  expect(dhe).toMatchObject({ value: new Uint8Array(32), about: expect.stringContaining("everybody knows it") })
})

it("has MQTT at the end of every conversation that is not cut short", () => {
  for (const scenario of scenarioIds) {
    const timeline = play(scenario)
    const titles = timeline.steps.flatMap((step) =>
      step.happening.type === "data" ? [engine.sentenceOf(step).text] : [],
    )
    for (const packet of ["CONNECT", "CONNACK", "SUBSCRIBE", "SUBACK", "PUBLISH"])
      expect({ scenario, titles }).toMatchObject({
        titles: expect.arrayContaining([expect.stringContaining(`MQTT ${packet}`)]),
      })
  }
})

it("says of an address what it names that there is not", () => {
  const unknown = (hash: string) => engine.unknownIn(hash, ["ends", "bytes"])
  expect(unknown("#scenario=full&view=bytes&break=bad-finished&provider=fast")).toEqual([])
  expect(unknown("")).toEqual([])
  expect(unknown("#scenario=fulll&view=byte&break=x&provider=z")).toEqual([
    ...["no scenario “fulll”", "no break “x”", "no view “byte”", "no provider “z”"],
  ])
})
