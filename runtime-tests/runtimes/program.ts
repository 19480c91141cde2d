// What Node.js, Deno and Bun run: the suite, a line of JSON for each scenario with its CPU time in milliseconds, and then the heap that is left.

import process from "node:process"
import { scenarios } from "../suite/scenarios.ts"

const { certificates, now } = JSON.parse(process.env["PUREMQ_SETTING"] ?? "")
const random = (length: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(length))

for (const { name, run } of scenarios) {
  const start = process.cpuUsage()
  try {
    const note = run({ random, now, certificates })
    const { user, system } = process.cpuUsage(start)
    console.log(JSON.stringify({ name, ms: (user + system) / 1000, note }))
  } catch (error) {
    console.log(JSON.stringify({ name, error: error instanceof Error ? error.stack : String(error) }))
  }
}
const { Bun, gc } = globalThis as { Bun?: { gc(sync: boolean): void }; gc?: () => void }
if (Bun === undefined) gc?.()
else Bun.gc(true)
console.log(JSON.stringify({ memory: process.memoryUsage().heapUsed }))
