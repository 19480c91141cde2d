// The table of packet sequences, test-vectors/mqtt, against the broker's core: each row on a broker of its own, to the byte.

import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { brokers } from "./brokers.ts"
import { coreStage } from "./core-stage.ts"
import { made } from "./made/index.ts"
import { play } from "./play.ts"
import type { Row } from "./row.ts"
import { statements, withoutRow } from "./statements.ts"
import { readRows, writeRows } from "./text.ts"

const folder = fileURLToPath(new URL("../../../../test-vectors/mqtt/", import.meta.url))
const readme = readFileSync(`${folder}README.md`, "utf8")

/** The rows as they stand in the files. */
const tables: Readonly<Record<string, readonly Row[]>> = Object.fromEntries(
  Object.keys(made).map((name) => [name, readRows(readFileSync(`${folder}${name}.txt`, "utf8"))]),
)
const everyRow = Object.values(tables).flat()

/** All that a row says, as text: some have millions of bytes. */
function told({ name, version, rule, note, broker, steps }: Row): string {
  const lines = steps.map((step) => {
    if (step.does === "waits") return `waits ${step.seconds}`
    if (step.does === "joins") return `${step.line} joins ${step.version}`
    return `${step.line} ${step.does} ${"bytes" in step ? step.bytes.join(" ") : ""}`
  })
  return [name, version, rule, note, broker, ...lines].join("\n")
}

describe.each(Object.entries(made))("%s", (name, { head, rows }) => {
  const table = tables[name]!

  it("the file is what the sources beside this test make", async () => {
    await expect(writeRows(head, rows())).toMatchFileSnapshot(`${folder}${name}.txt`)
  })

  it.each([
    ["whole", false],
    ["byte by byte", true],
  ])(`${table.length} rows to the byte, sent %s`, { timeout: 240_000 }, async (_, pieces) => {
    const wrong: string[] = []
    for (const row of table) {
      const stage = coreStage(row.broker ?? "plain", pieces)
      const fault = await play(row, stage)
      if (fault !== undefined) wrong.push(fault)
      for (const one of stage.wrong) wrong.push(`${row.name}: the store was told ${one}`)
    }
    expect(wrong).toEqual([])
  })

  it("what is read of it is what was written", () => {
    expect(table.map(told)).toEqual(rows().map(told))
  })

  it("no two rows have one name", () => {
    const names = table.map(({ name, version }) => `[${version}] ${name}`)
    expect(names.filter((one, i) => names.indexOf(one) !== i)).toEqual([])
  })

  it("README.md says how many rows it has", () => {
    expect(readme).toContain(`| [${name}.txt](${name}.txt) | ${table.length} |`)
  })
})

describe("the table", () => {
  it(`has ${everyRow.length} rows, as README.md says`, () => {
    expect(everyRow.length).toBeGreaterThanOrEqual(1500)
    expect(readme).toContain(`${everyRow.length.toLocaleString("en-US")} sequences`)
  })

  it("each row's statement is one of its standard, or a section", () => {
    const wrong = everyRow.filter(({ rule, version }) => {
      const isStatement = version !== 3 && statements[version].has(rule)
      return !isStatement && !/^\d(\.\d+)*$/.test(rule)
    })
    expect(wrong.map(({ rule, version, name }) => `[${version}] ${rule} ${name}`)).toEqual([])
  })

  it.each([
    [5, "5.0"],
    [4, "3.1.1"],
  ] as const)("each statement of MQTT %s has rows, or it is said why not", (version, name) => {
    const rules = new Set(everyRow.filter((row) => row.version === version).map(({ rule }) => rule))
    const without = [...statements[version]].filter((statement) => !rules.has(statement))
    expect(without.sort()).toEqual(Object.values(withoutRow[version]).flat().sort())
    const total = statements[version].size
    expect(readme).toContain(`of the ${total} numbered statements of MQTT ${name} ${total - without.length} have rows`)
  })

  it("each of its brokers is in README.md, and has rows", () => {
    const used = new Set(everyRow.map(({ broker }) => broker ?? "plain"))
    expect([...used].sort()).toEqual(Object.keys(brokers).sort())
    for (const name of used) expect(readme).toContain(`| \`${name}\` |`)
  })
})
