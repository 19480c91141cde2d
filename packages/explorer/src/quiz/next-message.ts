// Which message an end reads next: those that its transition table allows, and some that it does not.

import { type TransitionRow, transitions } from "@puremq/tls13/explore"
import { endAt, isSecondRetry } from "../reading/ends.ts"
import type { StateName } from "../run/names.ts"
import type { End, Step, Timeline } from "../run/step.ts"
import { messageTitle } from "../words/names.ts"
import type { Chance } from "./chance.ts"
import type { Question } from "./question.ts"

/** Choices, when there are that many messages. */
const mostChoices = 5

export function messageQuestion({ steps }: Timeline, step: number, chance: Chance): Question | undefined {
  const asked = (["client", "server"] as const).flatMap((end) => {
    const next = nextRead(steps, step, end)
    return next === undefined ? [] : [{ end, ...next }]
  })
  if (asked.length === 0) return undefined
  const { end, state, name, at } = chance.one(asked)
  const rows = transitions[end]
  const { taken } = endAt({ steps, costs: [] }, steps[at]?.connection ?? 0, step, end)
  const legal = unique(rows.filter((row) => row.from === state && !isSecondRetry(row, taken)).flatMap(nameOf))
  // It is a ServerHello by its type: whoever waits for one has to tell them apart.
  const retry = state === "WAIT_SH" ? ["hello_retry_request"] : []
  const others = unique(rows.flatMap(nameOf)).filter((other) => other !== name && !legal.includes(other))
  const offered = unique([name, ...legal, ...retry, ...chance.shuffled(others)]).slice(
    0,
    Math.max(mostChoices, legal.length + 1),
  )
  return {
    kind: "message",
    prompt: `The ${end} is in ${state}. Which handshake message does it read next in this run?`,
    given: [],
    choices: chance.shuffled(offered).map((id) => ({ id, text: messageTitle(id) })),
    section: `RFC 9846 appendix ${end === "client" ? "A.1" : "A.2"}`,
    truth: {
      right: name,
      reason: legal.includes(name)
        ? `From ${state}, ${messageTitle(name)} leads to ${targets(rows, state, name)}.`
        : `The table has no row for it in ${state}: somebody does not keep to the protocol.`,
      step: at,
    },
    wrong: Object.fromEntries(
      offered.map((id) => [
        id,
        legal.includes(id)
          ? `${messageTitle(id)} would be legal in ${state}, but it does not come in this run.`
          : id === "hello_retry_request" && state === "WAIT_SH"
            ? "There is one HelloRetryRequest in a connection (section 4.2.4): the client would answer another with unexpected_message."
            : `In ${state} the table has no row for ${messageTitle(id)}: the ${end} would answer unexpected_message.`,
      ]),
    ),
  }
}

/** The next message that it reads in the state in which it is now. */
function nextRead(
  steps: readonly Step[],
  step: number,
  end: End,
): { readonly state: StateName; readonly name: string; readonly at: number } | undefined {
  const connection = steps[step]?.connection
  let state: StateName = "START"
  for (const { index, connection: of, end: whose, happening } of steps) {
    if (of !== connection || whose !== end) continue
    if (happening.type === "state") {
      if (index > step) return undefined
      state = happening.to
    }
    if (index > step && happening.type === "message" && happening.direction === "received")
      return { state, name: happening.name, at: index }
  }
  return undefined
}

/** A HelloRetryRequest is a ServerHello by its type: the table tells them apart by what it says of them. */
function nameOf({ message, from, to }: TransitionRow): readonly string[] {
  if (message === undefined) return []
  return message === "server_hello" && from === to ? ["hello_retry_request"] : [message]
}

function targets(rows: readonly TransitionRow[], state: StateName, name: string): string {
  return rows
    .filter((row) => row.from === state && nameOf(row).includes(name))
    .map(({ to, when }) => `${to}${when === undefined || name === "hello_retry_request" ? "" : ` when ${when}`}`)
    .join(", or to ")
}

export function unique<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)]
}
