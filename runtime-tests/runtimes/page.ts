// What the page in Chromium runs, when its test asks for it.

import { type Host, scenarios } from "../suite/scenarios.ts"
import { subscribeThroughTunnel } from "./tunnel.ts"

const random = (length: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(length))

Object.assign(globalThis, {
  /** @returns milliseconds and a note */
  runScenario(name: string, lent: Pick<Host, "certificates" | "now">) {
    const start = performance.now()
    const note = scenarios.find((each) => each.name === name)?.run({ ...lent, random })
    return { ms: performance.now() - start, note }
  },
  subscribeThroughTunnel,
})
