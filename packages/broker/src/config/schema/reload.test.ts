// What a reload does with each option of the table: it is taken, or told.

import { describe, expect, it } from "vitest"
import { defaultLimits } from "../../session/limits.ts"
import { limitsAfter, rereadLimits } from "../limits.ts"
import { limitOptions, namesOf } from "./limits.ts"
import { everyOption, type Option, type Placed } from "./option.ts"
import { options } from "./options.ts"
import { leftForTheNextStart } from "./reload.ts"

/** Those that may have one value and no other cannot change. */
const single = ["listeners.versions", "listeners.earlyData"]
const leaves = everyOption(options).filter(
  (placed) => placed.option.kind.parts === undefined && !single.includes(placeOf(placed)),
)
function placeOf({ path }: Placed): string {
  return path.join(".")
}

/** Two values that it may have, neither of which is its default. */
function valuesOf({ kind, default: preset }: Option<unknown>): unknown[] {
  const numbers = Array.from({ length: 12 }, (_, power) => 2 ** power * 1000)
  const texts = [
    "one.example",
    "two.example",
    "https://one.example",
    "https://two.example",
    "10.0.0.1",
    "10.0.0.2",
    "mqtts://one.example",
    "mqtts://two.example",
    "one",
    "two",
    "jwt",
    "http",
  ]
  texts.push("connect", "refused", "mqtt://one.example", "mqtt://two.example", "nats://one:1", "nats://two:2")
  const some = [...(kind.choices ?? []), true, false, 0, 1, 2, 3, ...numbers, 1_048_576, 1_048_577, ...texts]
  const lists = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "x25519", "secp256r1", "ed25519"]
  const all = [...some, ...[...texts, ...lists, "ecdsa_secp256r1_sha256"].map((each) => [each])]
  const good = all.filter((value) => {
    if (JSON.stringify(value) === JSON.stringify(preset)) return false
    try {
      kind.check(value, "")
      return true
    } catch {
      return false
    }
  })
  return good.slice(0, 2)
}

/** A configuration with this value there; listeners are a list. */
function holding([name = "", ...rest]: readonly string[], value: unknown): object {
  const inside = rest.length === 0 ? value : holding(rest, value)
  return { [name]: name === "listeners" && rest.length > 0 ? [{}, inside] : inside }
}

describe("each option of the table is taken at a reload, or told", () => {
  it.each(leaves.map((placed) => [placeOf(placed), placed] as const))("%s", (name, { path, option }) => {
    const [one, other = option.default] = valuesOf(option)
    expect(one).not.toEqual(other)
    const isNamed = path.join(".") === "listeners.name"
    const told = name.replace(/^listeners/, isNamed ? `listeners.${one}` : "listeners[1]")
    const expected = option.reload === undefined ? [told] : []
    expect(leftForTheNextStart(options, holding(path, one), holding(path, other))).toEqual(expected)
    expect(leftForTheNextStart(options, holding(path, one), holding(path, one))).toEqual([])
  })

  it("every file that is named is read again, whatever its name", () => {
    const files = leaves.filter(({ option }) => option.kind.file === true)
    expect(files.map(placeOf)).toContain("aclFile")
    for (const { option } of files) expect(option.reload).toBeDefined()
  })

  it("a listener is told by its name", () => {
    const [before, after] = ["/a", "/b"].map((path) => ({ listeners: [{ name: "office", type: "ws", path }] }))
    expect(leftForTheNextStart(options, before, after)).toEqual(["listeners.office.path"])
  })

  it("a bridge that has come, gone or has another password is told, and a webhook, which is taken, is not", () => {
    const bridge = (name: string, more: object = {}) => ({ name, address: "mqtts://one.example", ...more })
    const left = (before: object, after: object) => leftForTheNextStart(options, before, after)
    expect(left({}, { bridges: [bridge("a")] })).toEqual(["bridges.a"])
    expect(left({ bridges: [bridge("a")] }, { bridges: [bridge("b"), bridge("a")] })).toEqual(["bridges.b"])
    expect(left({ bridges: [bridge("a"), bridge("b")] }, { bridges: [bridge("b")] })).toEqual(["bridges.a"])
    expect(left({ bridges: [bridge("a")] }, {})).toEqual(["bridges.a"])
    expect(left({ bridges: [bridge("a"), bridge("b")] }, { bridges: [bridge("b"), bridge("a")] })).toEqual([])
    expect(left({ bridges: [bridge("a"), bridge("b")] }, { bridges: [bridge("c"), bridge("a")] })).toEqual([
      "bridges.b",
      "bridges.c",
    ])
    expect(left({ bridges: [bridge("a"), bridge("b")] }, { bridges: [bridge("a"), bridge("c")] })).toEqual([
      "bridges.b.name",
    ])
    const [one, other] = ["one", "two"].map((password) => ({ bridges: [bridge("a", { password })] }))
    expect([left(one ?? {}, one ?? {}), left(one ?? {}, other ?? {})]).toEqual([[], ["bridges.a.passwordFile"]])
    const keys = [1, 2].map((byte) => ({ bridges: [bridge("a", { psk: Uint8Array.of(byte) })] }))
    expect(left(keys[0] ?? {}, keys[1] ?? {})).toEqual(["bridges.a.pskFile"])
    expect(left({}, { webhooks: [{ url: "https://one.example" }] })).toEqual([])
  })

  it("what is not there is the default", () => {
    const written = { sysInterval: 10, store: { durability: "process" }, listeners: [{ alpn: ["mqtt"] }] }
    expect(leftForTheNextStart(options, {}, { ...written, listeners: [] })).toEqual([])
    expect(leftForTheNextStart(options, { listeners: [{}] }, written)).toEqual([])
    const others = { ...written, metrics: { port: 9090 }, store: { durability: "power" } }
    expect(leftForTheNextStart(options, written, others)).toEqual(["store.durability", "metrics.port"])
  })
})

describe("limits", () => {
  it.each(namesOf(defaultLimits))("%s is taken, or stays and is told", (name) => {
    const next = { ...defaultLimits, [name]: 7 }
    const after = limitsAfter(defaultLimits, next)
    if (name === "maximumTopicLevels") {
      expect(after).toEqual(defaultLimits)
      expect(rereadLimits(defaultLimits, after)).toEqual([])
      expect(leftForTheNextStart(options, {}, { limits: next })).toEqual(["limits.maximumTopicLevels"])
      return
    }
    expect(after).toEqual(next)
    const whom = limitOptions[name]?.reload === "new connections" ? " for new connections" : ""
    const text = `limits: ${name} ${defaultLimits[name]} -> 7${whom}`
    expect(rereadLimits(defaultLimits, after)).toEqual([{ text, changed: true }])
    expect(leftForTheNextStart(options, {}, { limits: next })).toEqual([])
  })
})
