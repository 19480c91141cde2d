// The rows as people read them: one line each while they run, and the sum.

import type { Case } from "./case.ts"
import type { Findings } from "./scene.ts"

export type Outcome = "held" | "fell" | "skipped"

export interface Result {
  readonly case: Case
  readonly outcome: Outcome
  readonly findings: Findings | undefined
  /** In words; empty for a row that held. */
  readonly reason: string
  readonly seconds: number
}

const nameWidth = 70
const columns = [6, 9, 9, 7] as const

export class Table {
  readonly #print: (line: string) => void
  readonly #colour: boolean
  readonly #began = performance.now()

  constructor(print: (line: string) => void, colour: boolean) {
    this.#print = print
    this.#colour = colour
  }

  head(): void {
    const titles = ["alive", "memory", "hold-up", "took"].map((title, i) => title.padStart(columns[i]!)).join("")
    this.#print(this.#paint("2", `${"".padEnd(nameWidth)}${titles}  verdict`))
  }

  group(title: string): void {
    this.#print("")
    this.#print(this.#paint("1", title))
  }

  row(result: Result): void {
    const { findings, outcome, reason } = result
    const cells = [
      findings?.alive === undefined ? "-" : findings.alive ? "yes" : "NO",
      findings?.mebibytes === undefined ? "-" : `${findings.mebibytes} MiB`,
      findings?.holdUp === undefined ? "-" : `${findings.holdUp} ms`,
      outcome === "skipped" ? "-" : `${result.seconds.toFixed(0)} s`,
    ].map((cell, i) => cell.padStart(columns[i]!))
    const verdicts: Record<Outcome, string> = {
      held: this.#paint("32", "held"),
      fell: this.#paint("31", "FELL"),
      skipped: this.#paint("2", "skipped"),
    }
    const words = [verdicts[outcome], ...(reason === "" ? [] : [reason])].join(": ")
    this.#print(`  ${result.case.name.padEnd(nameWidth - 2)}${cells.join("")}  ${words}`)
  }

  sum(results: readonly Result[]): { readonly failed: number } {
    const count = (outcome: Outcome) => results.filter((each) => each.outcome === outcome).length
    const [passed, failed, skipped] = [count("held"), count("fell"), count("skipped")]
    const minutes = (performance.now() - this.#began) / 60_000
    this.#print("")
    this.#print(
      `${results.length} rows in ${minutes.toFixed(1)} minutes; each program with a heap of 512 MiB unless the row says another, all limits at their defaults`,
    )
    const more = skipped > 0 ? `, ${skipped} skipped` : ""
    this.#print(`hostile: ${passed} passed, ${failed} failed${more}`)
    return { failed }
  }

  #paint(code: string, text: string): string {
    return this.#colour ? `\u001b[${code}m${text}\u001b[0m` : text
  }
}
