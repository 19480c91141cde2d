// A bounded run of every fuzz target, and its corpus again. `npm run fuzz` runs them for as long as one likes.

import { describe, expect, it } from "vitest"
import { type Report, run } from "../fuzz/run.ts"
import { makeTarget, readCorpus, type TargetName } from "../fuzz/targets.ts"

const executions: Readonly<Record<Exclude<TargetName, "x509">, number>> = {
  deframer: 20_000,
  messages: 20_000,
  tickets: 10_000,
  client: 2_000,
  server: 2_000,
  captures: 10_000,
  "saved-traces": 10_000,
  ech: 5_000,
  timestamps: 10_000,
  recordings: 1_000,
  exported: 5_000,
  "mqtt-client": 5_000,
  "broker-core": 2_000,
}
/** Readers with few things to say. */
const few: { readonly [name in TargetName]?: number } = { tickets: 2, timestamps: 8, exported: 14 }
const targets = Object.entries(executions) as [TargetName, number][]

function execute(name: TargetName, seed: number, count: number, only?: number): Report {
  const now = () => performance.now()
  const processorTime = () => process.cpuUsage().user / 1000
  return run({ target: makeTarget(name), executions: count, seed, only, now, processorTime, bufferBytes: () => 0 })
}

function expectNoCrash({ crashes }: Report): void {
  expect(crashes.map(({ seed, execution, error }) => `--seed ${seed} --only ${execution}: ${error.stack}`)).toEqual([])
}

describe.each(targets)("fuzzing the %s", (name, count) => {
  it(`${count} executions: nothing is thrown, no rule is broken`, () => {
    const report = execute(name, 20260101, count)
    expectNoCrash(report)
    expect(report.executions).toBe(count)
    expect(report.longestMilliseconds).toBeLessThan(1000)
    expect(report.steps?.foreign ?? []).toEqual([])
    // Which of the rare ones so few executions walk is chance; all tests together walk all.
    expect(report.steps?.missing.length ?? 0).toBeLessThan(4)
    // It gets behind the first checks.
    expect(report.outcomes.size).toBeGreaterThan(few[name] ?? 20)
  })

  it("the corpus, which once gave each outcome its first input", () => {
    const corpus = Object.values(readCorpus(name))
    // Nearly all recordings are longer than what is kept.
    expect(corpus.length).toBeGreaterThan(name === "recordings" ? 0 : 1)
    if (!["client", "server", "mqtt-client", "broker-core"].includes(name)) return
    for (const entry of corpus) {
      const [seed, execution] = entry.split(":").map(Number)
      expectNoCrash(execute(name, seed!, 1, execution!))
    }
  })
})

it("equal seeds give equal runs", () => {
  for (const [name] of targets) {
    const [first, second] = [1, 2].map(() => execute(name, 5, 300))
    expect([...second!.outcomes]).toEqual([...first!.outcomes])
  }
})
