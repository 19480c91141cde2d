// What QuickJS runs. It has a language and nothing else: random bytes are lent to it, and time and certificates are arguments.

import { scenarios } from "../suite/scenarios.ts"

/** Of the host: `length` random bytes. */
declare const lendRandom: (length: number) => ArrayBuffer

Object.assign(globalThis, {
  /** @param lent JSON of `certificates` and `now`. @returns a note, or nothing */
  runScenario(name: string, lent: string): string {
    const random = (length: number): Uint8Array => new Uint8Array(lendRandom(length))
    return scenarios.find((each) => each.name === name)?.run({ ...JSON.parse(lent), random }) ?? ""
  },
})
