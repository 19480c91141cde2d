// Certificates: the tree is the DER, names and lines are the parser's, and each rule says what it found.

import { beforeAll, describe, expect, it } from "vitest"
import type { DerNode } from "../src/certificates/tree.ts"
import type * as Engine from "../src/engine.ts"
import { engineTime, loadEngine } from "./engine.ts"

let engine: typeof Engine
let wishes: Engine.Wishes
beforeAll(async () => {
  engine = await loadEngine()
  wishes = {
    authority: "My CA",
    intermediate: "My Issuing CA",
    names: ["broker.test"],
    keyType: "p256",
    now: engine.now,
    days: 90,
    usage: "server",
    pathLength: 0,
    intermediateIsNoAuthority: false,
    leavesIntermediateOut: false,
    seed: 5,
    provider: engine.noble(),
  }
}, engineTime)

const all = (node: DerNode): DerNode[] => [node, ...node.parts.flatMap(all)]

describe("the DER tree", () => {
  it("is all of the certificate, each value inside of the one around it", () => {
    const { chain } = engine.makeChain(wishes)
    for (const der of chain) {
      const root = engine.derTree(der)
      expect([root.start, root.end]).toEqual([0, der.length])
      for (const { parts, content, end, type } of all(root)) {
        if (parts.length === 0) continue
        const first = type === "BIT STRING" ? content + 1 : content
        expect([parts[0]!.start, parts.at(-1)!.end]).toEqual([first, end])
        for (const [index, part] of parts.entries()) if (index > 0) expect(part.start).toBe(parts[index - 1]!.end)
      }
    }
  })

  it("has the parser's names and lines, and values for people", () => {
    const tree = all(engine.derTree(engine.makeChain(wishes).chain[0]!))
    const named = tree.filter(({ name }) => name !== "")
    expect(named.length).toBeGreaterThan(tree.length / 2)
    expect(named.every(({ site }) => site === undefined || /^x509\/.*\.ts$/.test(site.file))).toBe(true)
    expect(tree.filter(({ site }) => site !== undefined).length).toBeGreaterThan(15)
    const values = tree.map(({ value }) => value)
    for (const value of ["broker.test", "My Issuing CA", "2.5.29.17", "1.3.6.1.5.5.7.3.1", "2 (v3)"])
      expect(values).toContain(value)
    // No number is too long to be shown.
    for (const { type, parts, value } of tree) if (type === "INTEGER") expect(parts.length > 0 || value).toBeTruthy()
    expect(tree.find(({ name }) => name === "serialNumber")?.value).toMatch(/^0x[0-9a-f]{10,}$/)
  })
})

describe("the path", () => {
  const judge = (
    changes: Partial<Engine.Wishes>,
    question: { serverName?: string; later?: number; stranger?: boolean } = {},
  ) => {
    const { chain, root } = engine.makeChain({ ...wishes, ...changes })
    const other = engine.makeChain({ ...wishes, authority: "Another CA", seed: 6 }).root
    return engine.judge({
      chain,
      trusted: [question.stranger ? other : root],
      serverName: question.serverName ?? "broker.test",
      now: engine.now + (question.later ?? 0),
      provider: engine.noble(),
    })
  }
  const broken = ({ rules }: ReturnType<typeof judge>) =>
    rules.filter(({ said }) => said === "broken").map(({ reason }) => reason)

  it("is accepted with every rule kept", () => {
    const judgement = judge({})
    expect(judgement).toMatchObject({ accepted: true, path: { length: 3 } })
    expect(judgement.rules.length).toBeGreaterThan(20)
    expect(new Set(judgement.rules.map(({ said }) => said))).toEqual(new Set(["kept"]))
    expect(judgement.rules.filter(({ cited }) => /^RFC \d+ section /.test(cited)).length).toBe(judgement.rules.length)
  })

  it("is refused by the rule that is broken", () => {
    const day = 86_400_000
    const cases: [Parameters<typeof judge>, string][] = [
      [[{}, { later: 100 * day }], "expired"],
      [[{}, { later: -day }], "not_yet_valid"],
      [[{}, { serverName: "other.test" }], "name_mismatch"],
      [[{ usage: "client" }], "extended_key_usage"],
      [[{ intermediateIsNoAuthority: true }], "not_a_ca"],
    ]
    for (const [args, reason] of cases) {
      const judgement = judge(...args)
      expect({ reason, accepted: judgement.accepted, broken: broken(judgement) }).toMatchObject({
        reason,
        accepted: false,
      })
      expect(broken(judgement)).toContain(reason)
    }
  })

  it("leads nowhere without the intermediate, or to an authority that is not trusted", () => {
    for (const judgement of [judge({ leavesIntermediateOut: true }), judge({}, { stranger: true })]) {
      expect(judgement.accepted).toBe(false)
      expect(judgement.message).toMatch(/issuer|issued|intermediate|trusted/)
    }
  })
})

describe("the certificates of a run", () => {
  const shown = (scenario: string, breaks?: string) => {
    const timeline = engine.play({ scenario, provider: engine.fast(), seed: 4, breaks })
    return engine.shownChains(timeline, timeline.steps.length)
  }

  it("are those that were read, with the name that was asked for", () => {
    const cast = engine.castOf(engine.fast(), 4)
    expect(shown("full")).toMatchObject([{ by: "server", chain: cast.server.chain, serverName: "broker.example" }])
    expect(shown("full", "unknown-authority")[0]!.chain).toEqual(cast.impostor.chain)
    expect(shown("full", "wrong-name")[0]!.serverName).toBe("another.example")
    expect(shown("client-certificate").map(({ by }) => by)).toEqual(["server", "client"])
    for (const scenario of ["external-psk", "raw-public-key"]) expect(shown(scenario)).toEqual([])
  })

  it("are those of a connection, and where there are none it is known why", () => {
    const run = (scenario: string) => engine.play({ scenario, provider: engine.fast(), seed: 4 })
    const none = (scenario: string, connection: number) => engine.whyNone(run(scenario), connection)
    expect(shown("resumption").map(({ connection }) => connection)).toEqual([0])
    expect(none("resumption", 1)).toBe("ticket")
    expect(none("external-psk", 0)).toBe("external PSK")
    const key = run("raw-public-key")
    const [raw] = engine.shownKeys(key, 0, key.steps.length)
    expect(raw).toMatchObject({ by: "server" })
    const tree = all(engine.spkiTree(raw!.key))
    expect(tree.map(({ value }) => value)).toContain("1.2.840.10045.2.1")
    expect(tree.filter(({ site }) => site !== undefined).length).toBeGreaterThan(1)
    expect(engine.shownKeys(run("full"), 0, 10_000)).toEqual([])
  })

  it("RFC 8879: are found in a compressed message, too", () => {
    const cast = engine.castOf(engine.fast(), 4)
    expect(shown("compression")).toMatchObject([
      { by: "server", chain: cast.server.chain, serverName: "broker.example" },
    ])
  })
})
