// The simulator itself: it repeats, its schedules contain what they are there for, each promise is judged somewhere, and the
// faults to plant fit the sources. That they are found: `npm run simulate -- --planted`.

import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { counted } from "../simulator/counts.ts"
import { withFault } from "../simulator/planted/check.ts"
import { planted } from "../simulator/planted/planted.ts"
import { promises } from "../simulator/promises.ts"
import { simulate } from "../simulator/simulate.ts"

const broker = fileURLToPath(new URL("..", import.meta.url))

it("a seed is a schedule: run twice, the same happens and the same bytes are sent", () => {
  const [once, twice, other] = [simulate(7), simulate(7), simulate(8)]
  expect(once.told.length).toBeGreaterThan(100)
  expect(twice).toEqual(once)
  expect(other.hash).not.toBe(once.hash)
})

it("schedules contain what they are there for, and no promise is broken", { timeout: 120_000 }, () => {
  const missing = new Set<string>(counted)
  for (let seed = 1; seed <= 25; seed++) {
    const { broken, counts } = simulate(seed)
    expect(broken, `seed ${seed}`).toBeUndefined()
    for (const what of counts.keys()) missing.delete(what)
  }
  expect([...missing]).toEqual([])
})

it("each promise is judged somewhere", () => {
  const folder = `${broker}/simulator`
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(`${folder}/${file}`, "utf8"))
    .join("\n")
  for (const name of Object.keys(promises)) expect(sources).toMatch(new RegExp(`new Broken\\(\\s*"${name}"`))
})

it("the faults to plant are at least 20 and fit the sources as they are", () => {
  expect(planted.length).toBeGreaterThanOrEqual(20)
  expect(new Set(planted.map(({ fault }) => fault)).size).toBe(planted.length)
  for (const one of planted) expect(withFault(broker, one).contents).toContain(one.to)
})
