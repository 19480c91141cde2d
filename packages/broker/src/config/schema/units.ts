// Amounts with a unit, as people write them: 10s, 64KiB.

/** What a number of the file counts. */
export type Unit = "bytes" | "seconds" | "milliseconds"

const minute = 60
const units: { readonly [Each in Unit]: Readonly<Record<string, number>> } = {
  bytes: { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 },
  seconds: { s: 1, m: minute, h: 60 * minute, d: 24 * 60 * minute },
  milliseconds: { ms: 1, s: 1000, m: 1000 * minute, h: 60_000 * minute },
}

/** The number that a text stands for, plain or with a unit; undefined: it is none. */
export function amountOf(text: string, unit: Unit | undefined): number | undefined {
  const [, digits = "", word = ""] = /^(\d+) ?([A-Za-z]*)$/.exec(text) ?? []
  if (digits === "") return undefined
  if (word === "") return Number(digits)
  const factor = unit === undefined ? undefined : new Map(Object.entries(units[unit])).get(word)
  return factor === undefined ? undefined : Number(digits) * factor
}
