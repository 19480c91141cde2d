// Comparisons in one run: in every round each contestant is measured once, one right after the other and in turning
// order, so that what else the machine does falls on all of them. Ratios are taken within a round.

import { mostDrift as mostDriftInMemory } from "./engine/protocol.ts"
import { progress } from "./progress.ts"
import { drift, quartiles, ratios, type Spread } from "./statistics.ts"
import { type AbsentSubject, tableMarkdown } from "./tables.ts"

export interface Contestant {
  readonly name: string
  /** One measurement: operations (or MB, or messages) a second. */
  measure(): Promise<number>
  /** The same for longer, in the rounds that do not count; default: `measure`. */
  warm?(): Promise<number>
}

export interface Row {
  readonly name: string
  /** Of each round; of figures that are kept, their quartiles alone. */
  readonly samples: readonly number[]
  /** Of all rounds. */
  readonly median: number
  /** To the first contestant, within a round: lower quartile, median, upper quartile. */
  readonly ratio: Spread
}

export interface Comparison {
  readonly title: string
  readonly unit: string
  readonly rounds: number
  readonly rows: readonly Row[]
  /** In memory: the scenario, as `parseWork` reads it. */
  readonly scenario?: string
  /** What could not be measured here. */
  readonly absent?: readonly AbsentSubject[]
  /** Of the rounds that do not count, by contestant: see `drift` of statistics.ts; undefined when they were too few to say. */
  readonly drifts: readonly (number | undefined)[]
}

/**
 * @param contestants the first is the one that the others are compared to
 * @param uncounted rounds before those that count, up to twice as many while they drift: engines compile what runs often
 */
export async function compare(
  title: string,
  unit: string,
  rounds: number,
  contestants: readonly Contestant[],
  uncounted = 1,
): Promise<Comparison> {
  progress(title)
  const samples = contestants.map((): number[] => [])
  const first = contestants.map((): number[] => [])
  const unsure = () => first.some((samples) => Math.abs(drift(samples) ?? 0) > mostDrift)
  for (let round = 0; round < uncounted || (round < 2 * uncounted && unsure()); round++) {
    for (const [which, contestant] of contestants.entries())
      first[which]!.push(await (contestant.warm?.() ?? contestant.measure()))
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const which = (round + turn) % contestants.length
      samples[which]!.push(await contestants[which]!.measure())
    }
  }
  const rows = contestants.map(({ name }, which) => ({
    name,
    samples: samples[which]!,
    median: quartiles(samples[which]!)[1],
    ratio: quartiles(ratios(samples[which]!, samples[0]!)),
  }))
  const drifts = first.map(drift)
  if (drifts.some((each) => each !== undefined)) {
    const each = contestants.map(({ name }, i) => `${name} ${settledText({ drifts }, i) ?? "not known"}`)
    progress(`at the end of warm-up: ${each.join(", ")}`)
  }
  const comparison = { title, unit, rounds, rows, drifts }
  console.log(asText(comparison))
  return comparison
}

/** What an engine over sockets may still drift by when it is called settled: other programs move it, too. */
const mostDrift = 0.1

/** For a row: that an engine had not settled when the rounds began. */
export function unsettled({ rows, drifts }: Comparison): { readonly note?: string } {
  const moving = rows.flatMap(({ name }, i) => {
    const own = drifts[i] ?? 0
    return Math.abs(own) > mostDrift ? [`${name} ${(own * 100).toFixed(0)}%`] : []
  })
  return moving.length === 0 ? {} : { note: `not settled: ${moving.join(", ")}` }
}

export function asText({ title, unit, rows }: Comparison): string {
  const width = Math.max(...rows.map(({ name }) => name.length))
  const lines = rows.map(({ name, median, ratio: [low, middle, high] }, index) => {
    const ratio = index === 0 ? "" : `${middle.toFixed(2)} x ${rows[0]!.name} (${low.toFixed(2)} to ${high.toFixed(2)})`
    return `  ${name.padEnd(width)} ${number(median).padStart(10)} ${unit}  ${ratio}`.trimEnd()
  })
  return [title, ...lines].join("\n")
}

export function asMarkdown(comparison: Comparison): string {
  const { title, unit, rounds, rows, absent } = comparison
  const settled = rows.some((_, index) => settledText(comparison, index) !== undefined)
  const cells = rows.map(({ name, median, ratio: [low, middle, high] }, index) => {
    const ratio = index === 0 ? "1" : `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
    return [name, number(median), ratio, ...(settled ? [settledText(comparison, index) ?? ""] : [])]
  })
  const last = settled ? ["engine"] : []
  const skipped = (absent ?? []).map(({ name, why }) => [name, `skipped: ${why}`, "", ...last.map(() => "")])
  return tableMarkdown({
    title,
    head: [`${rounds} ${rounds === 1 ? "round" : "rounds"}`, unit, "ratio (quartiles)", ...last],
    cells: [...cells, ...skipped],
  })
}

/** Of times and bytes; of rates more is better. */
export function lessIsBetter(unit: string): boolean {
  return !unit.includes("/")
}

/** Whether an engine had settled when the rounds began, in words; undefined: nobody looked. @param index of the row */
export function settledText(
  { drifts, scenario }: Pick<Comparison, "drifts" | "scenario">,
  index: number,
): string | undefined {
  // What was undefined is null in a file.
  const own = drifts[index] ?? undefined
  if (own === undefined) return undefined
  const by = `${own < 0 ? "-" : "+"}${(100 * Math.abs(own)).toFixed(1)}%`
  const most = scenario === undefined ? mostDrift : mostDriftInMemory
  return Math.abs(own) <= most ? `settled (${by})` : `not settled (${by})`
}

export function number(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toPrecision(3)
}
