// The part of the model that is made from the code (docs/model.md) is that of the code as it is. Needs no Spin.

import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { behaviour, generate } from "../model/generate.ts"
import { withEdits } from "../model/plant.ts"
import { planted } from "../model/planted.ts"
import { brokenPromise, inWords, promiseNames } from "../model/trail.ts"
import { transitions } from "../src/handshake/transitions.ts"

const code = behaviour()

describe("the model", () => {
  it("generated.pml says what the code does", async () => {
    await expect(generate(code)).toMatchFileSnapshot("../model/generated.pml")
  })

  it("checks every proof that the code has", () => {
    expect([...code.checks].filter(([, isMade]) => !isMade)).toEqual([])
  })

  it("has every secret under a label of its own", () => {
    const labels = code.observed.secrets
      .filter(({ base }) => base !== undefined)
      .map(({ base, label }) => `${base} ${label}`)
    const renewed = labels.filter((label) => label.endsWith("traffic upd"))
    expect(new Set(labels).size).toBe(labels.length)
    expect(renewed).toHaveLength(2)
  })

  it("has a condition for each row that is one of several ways, and for rows of the tables only", () => {
    const text = readFileSync(new URL("../model/tls13.pml", import.meta.url), "utf8")
    const conditions = [...text.matchAll(/^#define (WHEN_\w+)/gm)].map(([, name]) => name)
    const rows = (["client", "server"] as const).flatMap((role) =>
      transitions[role].map(({ from, message, to }) => ({ way: `WHEN_${role}_${from}_${message}`, to })),
    )
    const names = rows.map(({ way, to }) => `${way}_${to}`)
    const several = rows.filter(({ way }) => rows.filter((other) => other.way === way).length > 1)
    expect(conditions.filter((name) => !names.includes(name!))).toEqual([])
    expect(several.map(({ way, to }) => `${way}_${to}`).filter((name) => !conditions.includes(name))).toEqual([])
  })
})

describe("planted faults", () => {
  const source = fileURLToPath(new URL("../src", import.meta.url))

  it("are about texts that stand once in their sources, and rows that are in the tables or are not", () => {
    for (const { fault, source: edits, row } of planted) {
      if (edits) expect(() => withEdits(source, fault, edits)).not.toThrow()
      const isRow = (wanted: object | undefined) =>
        row !== undefined &&
        wanted !== undefined &&
        transitions[row.role].some((each) => JSON.stringify({ ...each, when: undefined }) === JSON.stringify(wanted))
      if (row?.without) expect(isRow(row.without), fault).toBe(true)
      if (row?.with) expect(isRow(row.with), fault).toBe(false)
    }
  })

  it("break promises that there are", () => {
    const unknown = planted.flatMap(({ breaks }) => breaks).filter((name) => !promiseNames.includes(name))
    expect(unknown).toEqual([])
  })

  it("break each promise there is: none is one that cannot be broken", () => {
    const broken = new Set(planted.flatMap(({ breaks }) => breaks))
    expect(promiseNames.filter((name) => !broken.has(name))).toEqual([])
  })
})

describe("a counterexample", () => {
  it("is told in words of TLS", () => {
    const trail = [
      "@sends 1 client_hello 0 0",
      "@comes 1 server_hello 1074005000 0 0",
      "@goes 1 WAIT_EE",
      "@comes 1 finished 0 0 2",
      "@alert 1 decrypt_error",
      "@broken agreement 1",
      "@broken secrecy 1",
    ]
    expect(brokenPromise(trail)).toBe("agreement")
    expect(inWords(trail, generate(code))).toEqual([
      "client 1 sends client_hello in the clear",
      "client 1 gets server_hello (random of the attacker, suite 1, share of the attacker in group 1) in the clear, made by the attacker",
      "  and is in WAIT_EE",
      "client 1 gets finished of the attacker under server_handshake_traffic_secret, made by the attacker",
      "  and answers with decrypt_error",
      "BROKEN agreement: client 1 is CONNECTED, and no honest peer has seen this handshake as it has",
    ])
  })
})
