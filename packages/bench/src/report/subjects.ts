// Which colour a subject has: the same one in all drawings, as far as they do not meet.

import { colours } from "@puremq/tls13/measure"

/** The first that fits. */
const usual: readonly (readonly [RegExp, number])[] = [
  [/noble/, 3],
  [/plain|AES-128-GCM/, 4],
  [/host|in files$|mosquitto/, 2],
  [/^(fast|PureMQ|ours|in memory)/, 0],
  [/^node|^aedes/, 1],
]

/** By name; no two of a drawing are the same as long as there are enough of them. */
export function coloursOf(names: readonly string[]): ReadonlyMap<string, number> {
  const taken = new Map<string, number>()
  const isFree = (colour: number) => ![...taken.values()].includes(colour)
  const wanted = (name: string) => usual.find(([pattern]) => pattern.test(name))?.[1]
  const later: string[] = []
  for (const name of names) {
    const colour = wanted(name)
    if (colour !== undefined && isFree(colour)) taken.set(name, colour)
    else later.push(name)
  }
  const last = colours - 1
  for (const [i, name] of later.entries()) {
    // From the grey one on.
    const order = Array.from({ length: colours }, (_, step) => (last - step + colours) % colours)
    taken.set(name, order.find(isFree) ?? i % colours)
  }
  return taken
}
