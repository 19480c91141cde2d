// The exercises of `npm run course`: their tests fail on what is emptied and pass on ours, and what they tell to read is there.

import { spawn } from "node:child_process"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { type Exercise, exercises } from "./course/exercises.mjs"
import { emptied, makeScratch } from "./course/scratch.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const scratch = `${root}course/test-${process.pid}`
afterAll(() => rmSync(scratch, { recursive: true, force: true }), 60_000)

/** Each exercise emptied, in a copy of its own; and all of their tests on ours. */
const copies: readonly { readonly name: string; readonly exercise: Exercise }[] = [
  ...exercises.map((exercise) => ({ name: exercise.id, exercise })),
  {
    name: "ours",
    exercise: { ...exercises[0]!, empty: {}, tests: [...new Set(exercises.flatMap(({ tests }) => tests))] },
  },
]

/** How many tests of each copy failed, or failed to begin; all of them in one run. */
async function failures(): Promise<ReadonlyMap<string, number>> {
  const tests = copies.flatMap(({ name, exercise }) => {
    makeScratch(root, `${scratch}/${name}`, exercise)
    return exercise.tests.map((test) => `${name}/packages/tls13/${test}`)
  })
  const config = readFileSync(`${scratch}/ours/vitest.config.ts`, "utf8")
  writeFileSync(`${scratch}/vitest.config.ts`, config.replace("packages/tls13/**", "*/packages/tls13/**"))
  const report = `${scratch}/report.json`
  const flags = ["run", "--root", scratch, "--reporter=json", `--outputFile=${report}`, ...tests]
  const { VITEST: _, ...env } = process.env
  const child = spawn(process.execPath, [`${root}node_modules/vitest/vitest.mjs`, ...flags], { env, stdio: "ignore" })
  await new Promise((resolve) => child.once("exit", resolve))
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as {
    testResults: { name: string; status: string; assertionResults: { status: string }[] }[]
  }
  expect(testResults).toHaveLength(tests.length)
  const failed = new Map(copies.map(({ name }) => [name, 0]))
  for (const { name: file, status, assertionResults } of testResults) {
    const [name = ""] = file.slice(scratch.length + 1).split("/")
    const wrong = assertionResults.filter((each) => each.status === "failed").length
    const couldNotBegin = status === "failed" && assertionResults.length === 0 ? 1 : 0
    failed.set(name, failed.get(name)! + wrong + couldNotBegin)
  }
  return failed
}

describe("the exercises", () => {
  it("fail when they are emptied, each, and pass on ours", { timeout: 240_000 }, async () => {
    const failed = await failures()
    for (const { name } of copies) {
      if (name === "ours") expect({ name, failed: failed.get(name) }).toEqual({ name, failed: 0 })
      else expect({ name, failed: failed.get(name)! > 0 }).toEqual({ name, failed: true })
    }
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
