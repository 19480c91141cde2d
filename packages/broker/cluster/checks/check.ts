// A check: a promise of the cluster, and where it is broken.

import type { History } from "../history.ts"
import type { Words } from "./words.ts"

/** Yields one line for each kind of break; the first of a kind is told, with how many there are. */
export type Check = (history: History, words: Words) => Generator<string>

/** One line for several of a kind: the first, and how many there are. */
export function* several<T>(what: string, list: readonly T[], tell: (first: T) => string): Generator<string> {
  if (list.length > 0) yield `${what}: ${list.length}, the first is ${tell(list[0]!)}`
}

/** Values by key, in their order. */
export function grouped<T>(list: Iterable<T>, keyOf: (value: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of list) {
    const key = keyOf(value)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
