// Every scenario steps to its end and back, by keyboard, with the secrets shown equal to the engine's at every step. Prints how long the
// first paint and a step take.

import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../../src/engine.ts"
import type { Timeline } from "../../src/run/step.ts"
import { engineTime, loadEngine } from "../engine.ts"
import { scenarioIds } from "../timelines.ts"
import { says, settled, usePages, whyNot } from "./page.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const pages = usePages()

/**
 * In the page: presses a key until the step is `last`, and tells after each press which secrets each end shows. The page is made anew
 * before the browser goes on to anything else: frames, which cost more than the steps, are not waited for.
 */
const walk = `async ([key, last]) => {
  const said = () => document.querySelector("#announcement").textContent
  const at = () => Number(/Step (\\d+)/.exec(said())[1]) - 1
  const shown = (end) =>
    [...document.querySelectorAll(".end.of-" + end + " [data-secret]")].map((code) => code.dataset.secret + " " + code.textContent)
  const steps = []
  let milliseconds = 0
  while (true) {
    steps.push({ at: at(), client: shown("client"), server: shown("server") })
    if (at() === last) break
    const before = said()
    const began = performance.now()
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))
    for (let wait = 0; said() === before && wait < 1000; wait++) await undefined
    milliseconds += performance.now() - began
    if (said() === before) throw new Error("the page does not go on from " + before)
  }
  return { steps, milliseconds: milliseconds / Math.max(1, steps.length - 1) }
}`

interface Walked {
  readonly steps: readonly { readonly at: number; readonly client: string[]; readonly server: string[] }[]
  readonly milliseconds: number
}

/** `client_handshake_traffic_secret HEX` of all that an end has derived, in no order. */
function expected({ steps }: Timeline, upTo: number, end: "client" | "server"): string[] {
  const { connection } = steps[upTo]!
  const secrets = new Map<string, string>()
  for (const step of steps.slice(0, upTo + 1)) {
    const { happening } = step
    if (step.connection !== connection || step.end !== end || happening.type !== "secret") continue
    const { name, generation, secret } = happening
    const title = name.endsWith("application_traffic_secret") ? `${name}_${generation}` : name
    secrets.set(title, Buffer.from(secret).toString("hex"))
  }
  return [...secrets].map(([name, hex]) => `${name} ${hex}`).sort()
}

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  const times: number[] = []
  let page: Page | undefined
  afterAll(() => {
    times.sort((a, b) => a - b)
    if (times.length > 0)
      console.log(`explorer: a step takes ${times[times.length >> 1]!.toFixed(1)} ms (median of scenarios)`)
  })

  it.each(scenarioIds)("%s: to its end and back, with the engine's secrets", { timeout: 60_000 }, async (scenario) => {
    const timeline = engine.play({ scenario, provider: engine.fast(), seed: 7 })
    const last = timeline.steps.length - 1
    const hash = `#scenario=${scenario}&seed=7&step=0&view=ends`
    page ??= await pages.open(hash)
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await settled(page)
    await says(page, new RegExp(`^Step 1 of ${last + 1}\\.`))
    for (const [key, to] of [
      ["ArrowRight", last],
      ["ArrowLeft", 0],
    ]) {
      const { steps, milliseconds } = (await page.evaluate(`(${walk})(${JSON.stringify([key, to])})`)) as Walked
      times.push(milliseconds)
      expect(steps.length).toBe(last + 1)
      for (const { at, client, server } of steps) {
        expect({ at, client: client.sort(), server: server.sort() }).toEqual({
          at,
          client: expected(timeline, at, "client"),
          server: expected(timeline, at, "server"),
        })
      }
    }
  })

  it("shows something at once", async () => {
    const page = await pages.open("#scenario=full")
    const paint = await page.evaluate(
      'performance.getEntriesByType("paint").find(({ name }) => name === "first-contentful-paint")?.startTime ?? 0',
    )
    const runs = []
    for (const provider of ["noble", "fast"]) {
      const fresh = await pages.open(`#scenario=full&seed=99&provider=${provider}`)
      runs.push(`${provider}: ${await fresh.locator(".now .state").textContent()}`)
      await fresh.close()
    }
    console.log(`explorer: first paint after ${Math.round(paint as number)} ms; a full handshake is ${runs.join(", ")}`)
    expect(paint).toBeGreaterThan(0)
    await page.close()
  })

  it("has broken no policy, asked for nothing elsewhere, and complained of nothing", () => {
    expect(pages.problems).toEqual([])
  })
})

it("walks through every scenario that there is", () => {
  expect(engine.scenarios.map(({ id }) => id)).toEqual(scenarioIds)
})
