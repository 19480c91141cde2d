// The schedule that the page shows is computed from its inputs alone, and is the stack's own at every node that the stack tells of.

import { execFileSync } from "node:child_process"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { End, Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { connectionsOf, hex, scenarioIds } from "./timelines.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

/** What the stack of an end tells, as lines, and what the model says of the same. */
function compared(timeline: Timeline, connection: number, end: End) {
  const { nodes } = engine.scheduleOf(timeline, connection, end)
  const told: string[] = []
  let generations: Record<string, number> = {}
  for (const { connection: of, end: by, happening, index } of timeline.steps) {
    if (of !== connection || by !== end) continue
    if (happening.type === "secret") {
      const { name, generation, secret } = happening
      generations = { ...generations, [name]: generation }
      told.push(`${nodeId(name, generation)} ${index} ${hex(secret)}`)
    } else if (happening.type === "keys") {
      const id = nodeId(happening.secretName, generations[happening.secretName] ?? 0)
      told.push(`${id}.key ${index} ${hex(happening.key)}`, `${id}.iv ${index} ${hex(happening.iv)}`)
    }
  }
  const computed = nodes.flatMap((node) =>
    node.told && node.knownAt !== undefined && node.value ? [`${node.id} ${node.knownAt} ${hex(node.value)}`] : [],
  )
  return { told: told.sort(), computed: computed.sort() }
}

function nodeId(name: string, generation: number): string {
  return name.includes("application") ? `${name}_${generation}` : name
}

describe.each(scenarioIds)("%s", (scenario) => {
  it.each([7, 8, 4_294_967_295])("has the secrets of the stack at both ends, seed %i", (seed) => {
    const timeline = engine.play({ scenario, provider: engine.fast(), seed })
    for (const connection of connectionsOf(timeline)) {
      for (const end of ["client", "server"] as const) {
        const { told, computed } = compared(timeline, connection, end)
        expect({ connection, end, computed }).toEqual({ connection, end, computed: told })
      }
    }
  })
})

it("has them at both ends of what is broken, too", () => {
  for (const { id, scenario } of engine.breaks) {
    const timeline = engine.play({ scenario, provider: engine.fast(), seed: 7, breaks: id })
    for (const connection of connectionsOf(timeline)) {
      for (const end of ["client", "server"] as const) {
        const { told, computed } = compared(timeline, connection, end)
        expect({ id, connection, end, computed }).toEqual({ id, connection, end, computed: told })
      }
    }
  }
})

it("has every node of the diagram in its order, each with its state", () => {
  const timeline = engine.play({ scenario: "0-rtt", provider: engine.fast(), seed: 7 })
  const { nodes } = engine.scheduleOf(timeline, 1, "client")
  expect(nodes.filter(({ depth }) => depth < 2).map(({ id }) => id)).toEqual([
    ...["salt", "psk", "early_secret", "binder_key", "client_early_traffic_secret", "early_exporter_secret"],
    ...["derived_handshake", "dhe", "handshake_secret"],
    ...["client_handshake_traffic_secret", "server_handshake_traffic_secret", "derived_main", "zero", "main_secret"],
    ...["client_application_traffic_secret_0", "server_application_traffic_secret_0"],
    ...["exporter_secret", "resumption_secret"],
  ])
  const exchange = nodes.find(({ id }) => id === "dhe")!
  const states = (step: number) =>
    Object.fromEntries(nodes.map((node) => [node.id, engine.stateAt(node, step)] as const))
  expect(states(exchange.knownAt! - 1)).toMatchObject({
    early_secret: "known",
    client_early_traffic_secret: "known",
    "client_early_traffic_secret.key": "known",
    derived_handshake: "known",
    dhe: "not yet",
    handshake_secret: "not yet",
    main_secret: "not yet",
  })
  expect(states(Number.POSITIVE_INFINITY)).toMatchObject({ main_secret: "known", resumption_secret: "known" })
  const full = engine.scheduleOf(engine.play({ scenario: "full", provider: engine.fast(), seed: 7 }), 0, "client")
  expect(engine.stateAt(engine.nodeOf(full, "client_early_traffic_secret")!, 10_000)).toBe("never")
})

it("names the messages that a secret depends on, and encodes the HkdfLabel", () => {
  const retry = engine.scheduleOf(
    engine.play({ scenario: "hello-retry", provider: engine.fast(), seed: 7 }),
    0,
    "client",
  )
  const node = engine.nodeOf(retry, "server_application_traffic_secret_0")
  expect(node).toMatchObject({ label: "s ap traffic", contextText: "message_hash…server Finished", length: 32 })
  if (node?.kind !== "expand") throw new Error("no such node")
  // struct { uint16 length; opaque label<7..255>; opaque context<0..255> }
  const label = Buffer.from("tls13 s ap traffic")
  expect(hex(node.hkdfLabel!)).toBe(`0020${"12"}${hex(label)}20${hex(node.context!)}`)
})

it("gives the PSK of a ticket to the connection that uses it", () => {
  const timeline = engine.play({ scenario: "resumption", provider: engine.fast(), seed: 7 })
  const given = engine.nodeOf(engine.scheduleOf(timeline, 0, "client"), "ticket_psk_0")!
  for (const end of ["client", "server"] as const) {
    const used = engine.nodeOf(engine.scheduleOf(timeline, 1, end), "psk")!
    expect(hex(used.value!)).toBe(hex(given.value!))
    expect(used).toMatchObject({ kind: "expand", parent: "resumption_secret", parentConnection: 0 })
  }
  const external = engine.play({ scenario: "external-psk", provider: engine.fast(), seed: 7 })
  const node = engine.nodeOf(engine.scheduleOf(external, 0, "server"), "psk")!
  expect(hex(node.value!)).toBe(hex(engine.externalPsk.key))
})

it("stays with zeros, and keeps the PSK beside, when the server does not choose it", () => {
  const played = engine.play({ scenario: "resumption", provider: engine.fast(), seed: 7 })
  // What a client would see of a server that has lost its ticket keys: the answer of a full handshake.
  const full = engine.play({ scenario: "full", provider: engine.fast(), seed: 7 })
  const answer = full.steps.find(({ happening }) => happening.type === "message" && happening.name === "server_hello")!
  const steps = played.steps.map((step) =>
    step.connection === 1 && step.happening.type === "message" && step.happening.name === "server_hello"
      ? { ...step, happening: { ...step.happening, message: (answer.happening as { message: Uint8Array }).message } }
      : step,
  )
  const { nodes } = engine.scheduleOf({ ...played, steps }, 1, "client")
  const [declined, chosen] = ["declined early_secret", "early_secret"].map(
    (id) => nodes.find((node) => node.id === id)!,
  )
  expect(hex(declined!.value!)).toBe(hex(declined!.told!))
  expect(hex(chosen!.value!)).not.toBe(hex(declined!.value!))
})

it("gives commands that print the value, for JavaScript and for OpenSSL", { timeout: 120_000 }, () => {
  const timeline = engine.play({ scenario: "0-rtt", provider: engine.fast(), seed: 7 })
  const { nodes, hash } = engine.scheduleOf(timeline, 1, "client")
  const commands = nodes.flatMap((node) => engine.commandsOf(node, hash) ?? [])
  const values = nodes.filter(({ kind }) => kind !== "input").map(({ value }) => hex(value!))
  const options = { encoding: "utf8", timeout: 60_000 } as const
  const javascript = commands.map((each) => `{\n${each.javascript}\n}`).join("\n")
  expect(execFileSync(process.execPath, ["-e", javascript], options).trim().split("\n")).toEqual(values)
  const openssl = commands.map((each) => each.openssl).join("\n")
  const printed = execFileSync("bash", ["-c", openssl], options).split("\n").filter(Boolean)
  expect(printed.map((line) => line.replaceAll(":", "").toLowerCase())).toEqual(values)
  expect(values.length).toBeGreaterThan(25)
})
