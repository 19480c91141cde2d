// Finds options of the table by their paths: `limits.maximumConnections`, `listeners.NAME.port`.

import type { Kind, Option, Table } from "./option.ts"

/** A place in the table, on the way from the top to an option. */
export interface Step {
  /** Undefined: below it stand objects by their names, and this is one of those names. */
  readonly option: Option<unknown> | undefined
  /** What may stand below it. */
  readonly below: Below
}

export type Below =
  | { readonly kind: "options"; readonly rows: Table }
  /** Objects by names of their own, each with these options. */
  | { readonly kind: "names"; readonly rows: Table }
  | { readonly kind: "nothing" }

export function topOf(table: Table): Below {
  return { kind: "options", rows: table }
}

/** Whether a path leads through a list of objects, which only a file can have. */
export function isInList(table: Table, [first = "", ...rest]: readonly string[]): boolean {
  return rest.length > 0 && table[first]?.kind.repeats === true
}

/** What a name leads to; undefined: to nothing. @param matches which of the names is meant; default: the same */
export function stepTo(
  below: Below,
  name: string,
  matches: (known: string) => boolean = (known) => known === name,
): (Step & { readonly name: string }) | undefined {
  if (below.kind === "nothing") return undefined
  if (below.kind === "names") return { name, option: undefined, below: { kind: "options", rows: below.rows } }
  const found = Object.entries(below.rows).find(([known]) => matches(known))
  if (found === undefined) return undefined
  return { name: found[0], option: found[1], below: belowOf(found[0], found[1].kind) }
}

function belowOf(name: string, { parts, repeats }: Kind<unknown>): Below {
  // Which of a list would be meant? They are for the file.
  if (parts === undefined || repeats) return { kind: "nothing" }
  const rows: Table = Object.assign({}, ...parts.map((part) => part.rows))
  return { kind: name === "listeners" ? "names" : "options", rows }
}
