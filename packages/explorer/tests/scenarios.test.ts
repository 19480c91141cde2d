// The scenarios play as they say, and again the same way.

import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Happening, Step, Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { scenarioIds } from "./timelines.ts"

type Of<Type extends Happening["type"]> = Extract<Happening, { type: Type }>

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

function all<Type extends Happening["type"]>({ steps }: Timeline, type: Type, end?: "client" | "server"): Of<Type>[] {
  const fits = (step: Step) => step.happening.type === type && (end === undefined || step.end === end)
  return steps.filter(fits).map(({ happening }) => happening as Of<Type>)
}

/** What fails because it is the subject. */
const failing: Readonly<Record<string, readonly string[]>> = {
  close: ["Closed"],
  // The server is told by the alert ech_required.
  "ech-rejected": ["EncryptedClientHelloRejected", "PeerAlert"],
}

describe.each(scenarioIds)("%s", (scenario) => {
  const run = () => engine.play({ scenario, provider: engine.noble(), seed: 7 })

  it("gives the same bytes again, and others for another seed", () => {
    const once = run()
    expect(run()).toEqual(once)
    const other = engine.play({ scenario, provider: engine.noble(), seed: 8 })
    expect(all(other, "wire")[0]!.record.sent).not.toEqual(all(once, "wire")[0]!.record.sent)
  })

  it("gives the same bytes with the fast provider", () => {
    const wires = (provider: "noble" | "fast") =>
      all(engine.play({ scenario, provider: engine[provider](), seed: 7 }), "wire").map(({ record }) => record)
    expect(wires("fast")).toEqual(wires("noble"))
  })

  it("ends without a failure that is not its subject", () => {
    const failures = all(run(), "failed").map(({ failure }) => failure.kind)
    expect(failures).toEqual(failing[scenario] ?? [])
  })

  it("has both ends of a connection derive the same secrets", () => {
    const secrets = (end: "client" | "server") =>
      new Map(
        run().steps.flatMap((step) => {
          const { happening } = step
          if (step.end !== end || happening.type !== "secret") return []
          return [[`${step.connection} ${happening.name} ${happening.generation}`, happening.secret] as const]
        }),
      )
    const [client, server] = [secrets("client"), secrets("server")]
    expect(client.size).toBeGreaterThan(5)
    for (const [name, secret] of server) if (client.has(name)) expect(client.get(name)).toEqual(secret)
  })

  it("names every byte of every handshake message that the codec reads", () => {
    const messages = all(run(), "message")
    expect(messages.length).toBeGreaterThan(3)
    for (const { name, message, fields } of messages) {
      const read = new Set<number>()
      for (const { start, end } of fields) for (let at = start; at < end; at++) read.add(at)
      // The header of a message is the record layer's to read.
      const unread = Array.from({ length: message.length - 4 }, (_, at) => at + 4).filter((at) => !read.has(at))
      const isRead = !["finished", "end_of_early_data", "compressed_certificate"].includes(name)
      if (isRead) expect({ name, unread }).toEqual({ name, unread: [] })
    }
  })
})

it("has a test for every scenario", () => {
  expect(engine.scenarios.map(({ id }) => id)).toEqual(scenarioIds)
})
