// The exercises of `npm run course`: their tests fail on what is emptied and pass on ours, and what they tell to read is there.

import { spawn } from "node:child_process"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { type Exercise, exercises } from "./course/exercises.mjs"
import { emptied, makeScratch } from "./course/scratch.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const scratch = `${root}course/test-${process.pid}`
afterAll(() => rmSync(scratch, { recursive: true, force: true }), 60_000)

/** Runs an exercise's tests in a copy: how many failed, or failed to begin. */
async function failures(exercise: Exercise, name: string): Promise<number> {
  const folder = `${scratch}/${name}`
  makeScratch(root, folder, exercise)
  const report = `${folder}/report.json`
  const tests = exercise.tests.map((test) => `packages/tls13/${test}`)
  const flags = ["run", "--root", folder, "--reporter=json", `--outputFile=${report}`, ...tests]
  const { VITEST: _, ...env } = process.env
  const child = spawn(process.execPath, [`${root}node_modules/vitest/vitest.mjs`, ...flags], { env, stdio: "ignore" })
  await new Promise((resolve) => child.once("exit", resolve))
  const { numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8")) as {
    numFailedTests: number
    testResults: { status: string; assertionResults: unknown[] }[]
  }
  expect(testResults).toHaveLength(tests.length)
  return (
    numFailedTests + testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length
  )
}

describe("the exercises", () => {
  it("pass on ours", { timeout: 120_000 }, async () => {
    const tests = [...new Set(exercises.flatMap((exercise) => exercise.tests))]
    expect(await failures({ ...exercises[0]!, empty: {}, tests }, "ours")).toBe(0)
  })

  it.each(exercises)("fail when it is emptied: $id", { timeout: 120_000 }, async (exercise) => {
    expect(await failures(exercise, exercise.id)).toBeGreaterThan(0)
  })

  it.each(exercises)("tell to read what is there: $id", ({ read }) => {
    for (const [file] of read.matchAll(/[\w/-]+\.ts/g))
      expect(existsSync(`${root}packages/tls13/src/${file}`)).toBe(true)
  })
})

describe("emptying", () => {
  const text = `export class Reader {
  static of(a: { readonly b: string }): { readonly c: number } {
    return { c: a.b.length }
  }

  #need(length: number): void {
    if (length > 1) throw new Error("a } in a text")
  }
}

export function* read(
  given: { a: number },
): { b: number } {
  // a { in a comment
  return { b: given.a }
}

function last(): void {
  read({ a: 1 })
}
`

  it("takes the bodies out and leaves the rest", () => {
    expect(emptied(text, ["Reader.of", "Reader.#need", "last"], "t")).toBe(`export class Reader {
  static of(a: { readonly b: string }): { readonly c: number } {
    throw new Error("t: Reader.of is yours to write")
  }

  #need(length: number): void {
    throw new Error("t: Reader.#need is yours to write")
  }
}

export function* read(
  given: { a: number },
): { b: number } {
  // a { in a comment
  return { b: given.a }
}

function last(): void {
  throw new Error("t: last is yours to write")
}
`)
  })

  it("says what it does not find", () => {
    expect(() => emptied(text, ["Reader.other"], "t")).toThrow("there is no Reader.other")
  })
})
