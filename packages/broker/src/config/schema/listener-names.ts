// What listeners are called.

import { ConfigError } from "../config.ts"

/** A listener, as far as its name goes. */
export interface Nameable {
  readonly name?: string | undefined
  readonly type: string
}

/** Their own names, and else their types: `tls`, then `tls-2`, passing over names that others have. */
export function namesOfListeners(listeners: readonly Nameable[]): string[] {
  const taken = new Set(listeners.map(({ name }) => name?.toLowerCase()))
  return listeners.map(({ name, type }) => {
    if (name !== undefined) return name
    for (let count = 1; ; count++) {
      const own = count === 1 ? type : `${type}-${count}`
      if (taken.has(own)) continue
      taken.add(own)
      return own
    }
  })
}

/** Throws ConfigError where two have one name, also as environment variables have it. */
export function refuseTwins(listeners: readonly Nameable[], placeOf: (index: number) => string): void {
  const seen = new Map<string, string>()
  namesOfListeners(listeners).forEach((name, index) => {
    const place = placeOf(index)
    const before = seen.get(foldedName(name))
    if (before !== undefined)
      throw new ConfigError(`${place} has the name ${name}, as ${before} has: give each its own`, place)
    seen.set(foldedName(name), place)
  })
}

/** Why a value is no name of a listener, as a clause. */
export function nameProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "it is letters and digits, with - or _ between them"
  if (value.length > 64) return "it has 64 characters at most"
  return /^[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*$/.test(value)
    ? undefined
    : "it begins with a letter, and has letters and digits, with one - or _ between them"
}

/** As an environment variable has it. */
export function foldedName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_")
}
