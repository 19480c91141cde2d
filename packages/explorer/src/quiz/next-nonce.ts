// The nonce of the next record that an end seals: its iv xor the sequence number (RFC 9846 section 5.3).

import { toHex } from "@puremq/tls13/explore"
import { nonceOf } from "../knowledge/protection.ts"
import type { End, Happening, Step, Timeline } from "../run/step.ts"
import type { Chance } from "./chance.ts"
import type { Question } from "./question.ts"

interface NextRecord {
  readonly end: End
  /** When it is sealed. */
  readonly at: number
  readonly keysAt: number
  readonly keys: Extract<Happening, { type: "keys" }>
  readonly sequenceNumber: number
}

export function nonceQuestion({ steps }: Timeline, step: number, chance: Chance): Question | undefined {
  const asked = (["client", "server"] as const).flatMap((end) => nextSealed(steps, step, end) ?? [])
  if (asked.length === 0) return undefined
  const { end, at, keys, keysAt, sequenceNumber } = chance.one(asked)
  const nonce = nonceOf(keys.iv, sequenceNumber)
  return {
    kind: "nonce",
    prompt: `The ${end} seals its next record. Under which nonce?`,
    given: [
      [`iv of ${keys.secretName}`, toHex(keys.iv)],
      ["The keys are of", `step ${keysAt + 1}`],
    ],
    choices: [],
    bytes: nonce.length,
    section: "RFC 9846 section 5.3",
    truth: {
      right: toHex(nonce),
      reason: `${recordsText(sequenceNumber)} been sealed with this key, so the sequence number is ${sequenceNumber}: the last bytes of the iv, xor ${sequenceNumber}.`,
      step: at,
    },
    wrong: {
      ...(sequenceNumber > 0 && { [toHex(keys.iv)]: "That is the iv itself: the nonce of the first record of a key." }),
      [toHex(nonceOf(keys.iv, sequenceNumber + 1))]: "One too many: the first record of a key has the number 0.",
      ...(sequenceNumber > 1 && {
        [toHex(nonceOf(keys.iv, sequenceNumber - 1))]: "That nonce has been used already, by the record before.",
      }),
    },
  }
}

/** The next record that it seals with the keys that it has now. */
function nextSealed(steps: readonly Step[], step: number, end: End): NextRecord | undefined {
  const connection = steps[step]?.connection
  let keys: { readonly index: number; readonly happening: NextRecord["keys"] } | undefined
  let sequenceNumber = 0
  for (const { index, connection: of, end: whose, happening } of steps) {
    if (of !== connection || whose !== end) continue
    if (happening.type === "keys" && happening.direction === "sent") {
      if (index > step) return undefined
      keys = { index, happening }
      sequenceNumber = 0
    }
    if (happening.type !== "record" || happening.direction !== "sent" || !happening.protected) continue
    if (index > step && keys !== undefined)
      return { end, at: index, keysAt: keys.index, keys: keys.happening, sequenceNumber }
    sequenceNumber++
  }
  return undefined
}

function recordsText(count: number): string {
  if (count === 0) return "No record has"
  return count === 1 ? "One record has" : `${count} records have`
}
