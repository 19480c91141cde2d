// Notes the steps of every connection that a test makes, also of one that traces nothing: `Machine` is another here, whose
// trace is told to us first. The sources know nothing of it.

import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, inject, vi } from "vitest"
import type { LinkOptions, RecordLink } from "../../packages/tls13/src/connection/record-link.ts"
import type { Connected } from "../../packages/tls13/src/handshake/connected.ts"
import type { Role, TransitionRow } from "../../packages/tls13/src/handshake/transitions.ts"
import { stepName } from "../../packages/tls13/tests/steps.ts"

const folder = inject("stepsFolder")
if (folder !== undefined) {
  const walked = new Set<string>()

  vi.doMock("../../packages/tls13/src/connection/machine.ts", async (importOriginal) => {
    const original = await importOriginal<typeof import("../../packages/tls13/src/connection/machine.ts")>()
    class Machine<State extends Connected> extends original.Machine<State> {
      constructor(role: Role, transitions: readonly TransitionRow[], options: LinkOptions, link: RecordLink) {
        // An imported connection begins where another has ended: dangerous/hand-over.ts has a row of its own for that.
        const imported = transitions.some((row) => row.from === "START" && row.to === "CONNECTED")
        const trace: LinkOptions["trace"] = (event) => {
          const begins = event.type === "state" && event.from === "START" && event.to === "CONNECTED"
          if (event.type === "state" && !(imported && begins)) walked.add(stepName(event))
          options.trace?.(event)
        }
        super(role, transitions, { ...options, trace }, link)
      }
    }
    return { ...original, Machine }
  })

  afterAll(() => {
    if (walked.size > 0) appendFileSync(join(folder, `${process.pid}.txt`), `${[...walked].join("\n")}\n`)
  })
}
