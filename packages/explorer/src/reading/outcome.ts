// How far the two ends got, in a few words: to set a run beside another.

import { mqttPacketOf } from "../run/mqtt.ts"
import type { End, Failure, Step, Timeline } from "../run/step.ts"
import { bytesText } from "../words/names.ts"

export interface Outcome {
  /** Who gave up first of all, and why; undefined: nobody did. */
  readonly noticed: { readonly by: End; readonly step: number; readonly failure: Failure } | undefined
  readonly client: EndOutcome
  readonly server: EndOutcome
}

export interface EndOutcome {
  readonly state: string
  readonly isConnected: boolean
  readonly failure: Failure | undefined
  /** What its application was given. */
  readonly given: readonly string[]
}

export function outcomeOf({ steps }: Timeline): Outcome {
  // What comes of the last connection: those before it are its ground.
  const connection = steps.at(-1)?.connection ?? 0
  const first = steps.find(({ happening }) => happening.type === "failed")
  const noticed =
    first?.happening.type === "failed" && first.end !== undefined
      ? { by: first.end, step: first.index, failure: first.happening.failure }
      : undefined
  const here = steps.filter((step) => step.connection === connection)
  return { noticed, client: ofEnd(here, "client"), server: ofEnd(here, "server") }
}

function ofEnd(steps: readonly Step[], end: End): EndOutcome {
  let state = "START"
  let isConnected = false
  let failure: Failure | undefined
  const given: string[] = []
  for (const { end: of, happening } of steps) {
    if (of !== end) continue
    if (happening.type === "state") state = happening.to
    else if (happening.type === "connected") isConnected = true
    else if (happening.type === "failed") failure ??= happening.failure
    else if (happening.type === "data") {
      const packet = mqttPacketOf(happening.data)
      given.push(
        `${packet === undefined ? bytesText(happening.data.length) : packet.name}${happening.early ? " (0-RTT)" : ""}`,
      )
    }
  }
  return { state, isConnected, failure, given }
}
