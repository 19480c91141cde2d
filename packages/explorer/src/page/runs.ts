// Runs, played by the worker; the last few are kept.

import type { Timeline } from "../run/step.ts"
import type { RunAddress } from "./address.ts"

export interface Request {
  readonly id: number
  readonly run: RunAddress
}

export type Answer =
  | { readonly id: number; readonly timeline: Timeline; readonly milliseconds: number }
  | { readonly id: number; readonly problem: string }

export interface Run {
  readonly timeline: Timeline
  /** What it took to play, in milliseconds. */
  readonly milliseconds: number
}

/** Runs kept: that of the page, one beside it, and a way back. */
const kept = 12

class Runs {
  #worker: Worker | undefined
  #nextId = 0
  readonly #waiting = new Map<number, { resolve(run: Run): void; reject(error: Error): void }>()
  readonly #runs = new Map<string, Promise<Run>>()

  of(run: RunAddress): Promise<Run> {
    const key = runKey(run)
    const known = this.#runs.get(key)
    if (known) return known
    const played = this.#play(run)
    this.#runs.set(key, played)
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size <= kept) break
      this.#runs.delete(oldest)
    }
    played.catch(() => this.#runs.delete(key))
    return played
  }

  #play(run: RunAddress): Promise<Run> {
    const worker = this.#started()
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      const { scenario, seed, provider, breaks, without, meddling } = run
      worker.postMessage({ id, run: { scenario, seed, provider, breaks, without, meddling } } satisfies Request)
    })
  }

  #started(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" })
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      const waiting = this.#waiting.get(data.id)
      this.#waiting.delete(data.id)
      if ("problem" in data) waiting?.reject(new Error(data.problem))
      else waiting?.resolve(data)
    })
    worker.addEventListener("error", () => {
      const problem = new Error("the engine could not be loaded: serve the page from a web server, and reload it")
      for (const { reject } of this.#waiting.values()) reject(problem)
      this.#waiting.clear()
      this.#worker = undefined
    })
    this.#worker = worker
    return worker
  }
}

const runs: Runs = new Runs()

export function runOf(run: RunAddress): Promise<Run> {
  return runs.of(run)
}

export function runKey({ scenario, seed, provider, breaks, without, meddling }: RunAddress): string {
  return [scenario, seed, provider, breaks, without, meddling].join(" ")
}
