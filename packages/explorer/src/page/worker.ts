// Plays runs beside the page, so that the page stays alive meanwhile. Timelines are plain data: they are copied over.

import { meddlingsOf } from "../run/meddling-text.ts"
import { fast, noble } from "../run/providers.ts"
import { play } from "../run/run.ts"
import type { Answer, Request } from "./runs.ts"

const providers = { noble: noble(), fast: fast() }

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  const { id, run } = data
  const began = performance.now()
  try {
    const timeline = play({
      scenario: run.scenario,
      seed: run.seed,
      breaks: run.breaks,
      without: run.without,
      meddlings: meddlingsOf(run.meddling ?? ""),
      provider: providers[run.provider],
      clock: () => performance.now() * 1000,
    })
    answer({ id, timeline, milliseconds: performance.now() - began })
  } catch (error) {
    answer({ id, problem: error instanceof Error ? error.message : String(error) })
  }
})

function answer(what: Answer): void {
  postMessage(what)
}
