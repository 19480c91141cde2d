// Each break is noticed by whom the table says, with the alert that it says; and the check that is left out is the one that noticed.

import { beforeAll, expect, it } from "vitest"
import { checks } from "../build/checks.mjs"
import type * as Engine from "../src/engine.ts"
import { engineTime, loadEngine } from "./engine.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

function run(broken: (typeof engine.breaks)[number], without?: string) {
  const { steps } = engine.play({
    scenario: broken.scenario,
    provider: engine.noble(),
    seed: 7,
    breaks: broken.id,
    without,
  })
  const failure = (end: "client" | "server") => {
    const found = steps.find((step) => step.end === end && step.happening.type === "failed")?.happening
    return found?.type === "failed" ? found.failure : undefined
  }
  const first = steps.find(({ happening }) => happening.type === "failed")
  const early = steps.filter(({ happening }) => happening.type === "data" && happening.early).length
  return { steps, failure, first, early }
}

it("is noticed as the table says, by a line that exists", () => {
  for (const broken of engine.breaks) {
    const { first, failure } = run(broken)
    if (broken.noticed === "goes on") {
      expect({ id: broken.id, first }).toEqual({ id: broken.id, first: undefined })
      continue
    }
    const { by, alert } = broken.noticed
    expect({ id: broken.id, by: first?.end, alert: failure(by)?.alert }).toEqual({ id: broken.id, by, alert })
    expect({ id: broken.id, noticed: failure(by)?.noticed }).toMatchObject({
      id: broken.id,
      noticed: {
        file: expect.stringMatching(/\.ts$/),
        line: expect.any(Number),
        section: expect.stringMatching(/^RFC /),
      },
    })
  }
})

it("gets further without the check", () => {
  const cut = engine.breaks.filter(({ check }) => check !== undefined)
  expect(cut.length).toBeGreaterThan(8)
  for (const broken of cut) {
    const [held, without] = [run(broken), run(broken, broken.check)]
    const reached = ({ first, early }: typeof held) => ({ at: first?.happening, index: first?.index, early })
    expect({ id: broken.id, ...reached(without) }).not.toEqual({ id: broken.id, ...reached(held) })
  }
})

it("RFC 9846 4.3.8.2: refuses a share that is no point of its curve, with either provider", () => {
  const { scenario } = engine.breaks.find(({ id }) => id === "off-curve-share")!
  for (const provider of [engine.noble(), engine.fast()]) {
    const { steps } = engine.play({ scenario, provider, seed: 7, breaks: "off-curve-share" })
    const failures = steps.flatMap(({ end, happening: of }) => (of.type === "failed" ? [{ end, ...of.failure }] : []))
    expect(failures[0]).toMatchObject({
      end: "client",
      message: "server's key share cannot be used: the secp256r1 key share is not a point of the curve",
      alert: "illegal_parameter",
      noticed: { section: "RFC 9846 section 4.3.8.2" },
    })
  }
})

it("has a break for every check that can be left out", () => {
  expect(new Set(engine.breaks.flatMap(({ check }) => check ?? []))).toEqual(new Set(checks.map(({ name }) => name)))
})

it("takes a suite that was not offered when the check is left out, and then opens nothing", () => {
  const broken = engine.breaks.find(({ id }) => id === "other-suite")!
  const { steps, failure } = run(broken, "cipher-suite-offered")
  expect(failure("client")?.alert).toBe("bad_record_mac")
  const keys = steps.flatMap(({ end, happening: of }) =>
    end === "client" && of.type === "keys" ? [of.key.length] : [],
  )
  expect(keys[0]).toBe(32)
})

it("leaves nothing out once the run is over", () => {
  const broken = engine.breaks.find(({ id }) => id === "bad-finished")!
  run(broken, broken.check)
  expect(run(broken).failure("client")?.alert).toBe("decrypt_error")
})
