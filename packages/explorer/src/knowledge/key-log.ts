// The secrets of a timeline as a key log (RFC 9850): what Wireshark takes to decrypt.

import { keyLogLine } from "@puremq/tls13/trace"
import type { Timeline } from "../run/step.ts"

/** Lines of what either end has derived up to a step, each once, with a line end each; "" when there are none yet. */
export function keyLogOf({ steps }: Timeline, upTo: number = Number.POSITIVE_INFINITY): string {
  const lines = new Set<string>()
  for (const { index, happening } of steps) {
    if (index > upTo) break
    const line = happening.type === "secret" ? keyLogLine(happening) : undefined
    if (line !== undefined) lines.add(`${line}\n`)
  }
  return [...lines].join("")
}
