// What connections cost, against what is on the wire.

import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { scenarioIds } from "./timelines.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const play = (scenario: string) => engine.play({ scenario, provider: engine.fast(), seed: 7 })
const cost = (scenario: string, connection: number) =>
  engine.costsOf(play(scenario)).find((each) => each.connection === connection)!

describe.each(scenarioIds)("%s", (scenario) => {
  it("counts every byte on the wire once: by end, by part, by flight", () => {
    const timeline = play(scenario)
    const costs = engine.costsOf(timeline)
    for (const { connection, bytes, parts, flights, handshakeBytes } of costs) {
      for (const end of ["client", "server"] as const) {
        const onWire = timeline.steps.reduce(
          (sum, { happening: of, connection: other }) =>
            of.type === "wire" && other === connection && of.record.from === end ? sum + of.record.sent.length : sum,
          0,
        )
        const sum = (all: readonly { from: string; bytes: number }[]) =>
          all.filter(({ from }) => from === end).reduce((total, each) => total + each.bytes, 0)
        expect({ connection, end, bytes: bytes[end] }).toEqual({ connection, end, bytes: onWire })
        expect({ parts: sum(parts), flights: sum(flights) }).toEqual({ parts: onWire, flights: onWire })
        expect(handshakeBytes[end]).toBeLessThanOrEqual(onWire)
      }
      expect(parts.some(({ title }) => title === "handshake")).toBe(false)
    }
  })
})

it.each([
  ["full", 0, 1],
  ["hello-retry", 0, 2],
  ["resumption", 1, 1],
  ["0-rtt", 1, 0],
  ["0-rtt-rejected", 1, 0],
  ["stateless-retry", 0, 2],
])("%s, connection %i: the client's data can leave after %i round trips", (scenario, connection, roundTrips) => {
  expect(cost(scenario, connection).roundTrips).toBe(roundTrips)
})

it("names messages with their lengths, and flights with what is in them", () => {
  const { parts, flights } = cost("full", 0)
  const named = Object.fromEntries(parts.map(({ from, title, bytes }) => [`${from}: ${title}`, bytes]))
  expect(named).toMatchObject({ "server: server Finished": 36, "client: client Finished": 36, "client: alert": 2 })
  expect(flights.slice(0, 3).map(({ flight, from, titles }) => `${flight} ${from}: ${titles.join(", ")}`)).toEqual([
    "0 client: ClientHello",
    "1 server: ServerHello, change_cipher_spec, EncryptedExtensions, server Certificate, server CertificateVerify, server Finished",
    "2 client: change_cipher_spec, client Finished, application data",
  ])
})

it("draws flights in time", () => {
  const full = cost("full", 0)
  const rows = engine.waterfallOf(full, 100)
  expect(rows.slice(0, 4).map(({ titles: [first], leaves, arrives }) => [first, leaves, arrives])).toEqual([
    ["TCP", 0, 100],
    ["ClientHello", 100, 150],
    ["ServerHello", 150, 200],
    ["change_cipher_spec", 200, 250],
  ])
  expect(engine.firstDataAt(full, 100)).toBe(250)
  expect(engine.firstDataAt(cost("0-rtt", 1), 100)).toBe(150)
})

it("puts two beside each other", () => {
  const compared = engine.comparedParts(cost("full", 0), cost("hybrid", 0))
  const hello = compared.find(({ title }) => title === "ClientHello")!
  // ML-KEM-768: an encapsulation key of 1184 bytes one way, a ciphertext of 1088 the other.
  expect(hello.right - hello.left).toBeGreaterThan(1184 - 32)
  const answer = compared.find(({ title }) => title === "ServerHello")!
  expect(answer.right - answer.left).toBe(1088)
  const resumed = engine.comparedParts(cost("full", 0), cost("resumption", 1))
  expect(resumed.find(({ title }) => title === "server Certificate")).toMatchObject({ right: 0 })
})

it("adds up the time of each end, of the connection that it was spent in", () => {
  let now = 0
  const timeline = engine.play({ scenario: "resumption", provider: engine.fast(), seed: 7, clock: () => now++ })
  const costs = engine.costsOf(timeline)
  const all = costs.reduce((sum, { micros }) => sum + micros.client + micros.server, 0)
  expect(all).toBe(timeline.costs.reduce((sum, { micros }) => sum + micros, 0))
  for (const { micros } of costs) expect(Math.min(micros.client, micros.server)).toBeGreaterThan(2)
})
