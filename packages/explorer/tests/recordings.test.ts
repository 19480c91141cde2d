// What `tls13 connect --record` has written opens as a connection, run again in the page.

import { ClientConnection, createClientConfig, createServerConfig, ServerConnection } from "@puremq/tls13"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createRecorder } from "@puremq/tls13/recording"
import { MemoryPskStore } from "@puremq/tls13/session"
import { Pair } from "@puremq/tls13/testing"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Timeline } from "../src/run/step.ts"
import { loadEngine } from "./engine.ts"

const engine: typeof Engine = await loadEngine()
const utf8 = (text: string) => new TextEncoder().encode(text)
const start = 1_800_000_000_000
const psk = { identity: utf8("device"), key: new Uint8Array(32).fill(7), hash: "sha256", kind: "external" } as const

const texts = { client: "", server: "" }
beforeAll(() => {
  const provider = createNobleProvider()
  const into = (role: keyof typeof texts) =>
    createRecorder(() => ({
      write(text) {
        texts[role] += text
      },
    }))
  const clientConfig = createClientConfig({ provider, externalPsks: [psk] })
  const serverConfig = createServerConfig({ provider, externalPsks: new MemoryPskStore([psk]) })
  const pair = new Pair(into("client").client(clientConfig, start), into("server").server(serverConfig, start), start)
  expect([
    pair.client.connection instanceof ClientConnection,
    pair.server.connection instanceof ServerConnection,
  ]).toEqual([true, true])
  pair.handshake()
  pair.now += 25
  pair.take(pair.client, pair.client.connection.send(utf8("a question")))
  pair.run()
})

const messagesOf = ({ steps }: Timeline, end: string) =>
  steps.flatMap(({ end: of, happening }) =>
    of === end && happening.type === "message" ? [`${happening.direction} ${happening.name}`] : [],
  )

describe("a recording", () => {
  it.each(["client", "server"] as const)("of a %s is its connection", (role) => {
    const { connections, notes } = engine.readBrought(utf8(texts[role]), "", engine.noble())
    expect(notes).toEqual([])
    expect(connections.map(({ title }) => title)).toEqual([
      `what the ${role} has done, 2027-01-15T08:00:00.000Z, run again`,
    ])
    const timeline = connections[0]!.timeline()
    expect(timeline.witness).toBe(role)
    const [out, back] = role === "client" ? ["sent", "received"] : ["received", "sent"]
    expect(messagesOf(timeline, role)).toEqual([
      `${out} client_hello`,
      ...["server_hello", "encrypted_extensions", "finished"].map((name) => `${back} ${name}`),
      `${out} finished`,
    ])
    const secrets = timeline.steps.flatMap(({ happening }) => (happening.type === "secret" ? [happening.name] : []))
    expect(secrets).toContain("main_secret")
  })

  it("that comes out otherwise says so, and one that is broken is refused", () => {
    const other = texts.client.replace('"output":"1603', '"output":"1602')
    expect(engine.readBrought(utf8(other), "", engine.noble()).notes).toEqual([
      expect.stringMatching(/^it is another from line \d+ on: byte 2 of the output/),
    ])
    expect(() =>
      engine.readBrought(utf8(texts.client.replace('"do":"start"', '"do":"fly"')), "", engine.noble()),
    ).toThrow(/^line \d+ is of no call that a connection has$/)
  })
})
