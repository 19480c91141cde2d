// How far a run is, for who waits: one line that is written over on a terminal, a line now and then elsewhere.

import { countOf, figure } from "../../measure/text-table.ts"
import type { Terminal } from "../connect.ts"
import type { Load } from "./plan.ts"
import type { Progress } from "./sample-collector.ts"

/** Seconds between lines where they stay. */
const tellEvery = 10
const barLength = 20

type ProgressLoad = Pick<Load, "warmUp" | "seconds" | "count">

export class ProgressLine {
  readonly #title: string
  readonly #load: ProgressLoad
  readonly #operation: string
  readonly #terminal: Terminal
  #told = 0

  /** @param operation one of what is counted, such as `handshake` */
  constructor(title: string, load: ProgressLoad, operation: string, terminal: Terminal) {
    this.#title = title
    this.#load = load
    this.#operation = operation
    this.#terminal = terminal
    terminal.status?.(title)
    if (terminal.status === undefined) terminal.say(`bench: ${title}`)
  }

  update(progress: Progress): void {
    const { status, say } = this.#terminal
    if (status !== undefined) status(`${this.#bar(progress)} ${this.#text(progress)}`)
    else if (progress.at - this.#told >= tellEvery) {
      this.#told = progress.at
      say(`bench: ${this.#text(progress)}`)
    }
  }

  end(): void {
    this.#terminal.status?.("")
  }

  #text({ at, completed, failed, rate }: Progress): string {
    const { warmUp } = this.#load
    const phase = at < warmUp ? "warming up" : `${at.toFixed(0)} s`
    return `${this.#title}: ${phase}, ${countOf(completed, this.#operation)}, ${figure(rate)}/s${failed > 0 ? `, ${figure(failed)} FAILED` : ""}`
  }

  #bar({ at, completed }: Progress): string {
    const { warmUp, seconds, count } = this.#load
    const share = seconds === undefined ? completed / (count ?? 1) : at / (warmUp + seconds)
    const full = Math.max(0, Math.min(barLength, Math.round(barLength * share)))
    return `[${"#".repeat(full)}${".".repeat(barLength - full)}]`
  }
}
