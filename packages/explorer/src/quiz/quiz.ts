// Questions about a step of a run, and which step is asked about next.

import type { Timeline } from "../run/step.ts"
import { type Chance, chanceOf } from "./chance.ts"
import { messageQuestion } from "./next-message.ts"
import { nonceQuestion } from "./next-nonce.ts"
import { type Kind, kinds, type Question } from "./question.ts"
import { transcriptQuestion } from "./what-is-covered.ts"
import { alertQuestion } from "./which-alert.ts"
import { secretQuestion } from "./who-knows.ts"

/** The id of the view in which the answer can be seen best. */
export const viewOf: Readonly<Record<Kind, string>> = {
  message: "ends",
  nonce: "lab",
  secret: "keys",
  transcript: "transcript",
  alert: "break",
}

type Ask = (timeline: Timeline, step: number, chance: Chance) => Question | undefined

const asks: Readonly<Record<Kind, Ask>> = {
  message: messageQuestion,
  nonce: nonceQuestion,
  secret: secretQuestion,
  transcript: transcriptQuestion,
  alert: (_timeline, _step, chance) => alertQuestion(chance),
}

/** One of that kind about the step; undefined: there is none to ask there. @param seed 0 to 2^32-1 */
export function questionOf(kind: Kind, timeline: Timeline, step: number, seed: number): Question | undefined {
  return asks[kind](timeline, step, chanceOf(seed, `${kind} ${step}`))
}

/** What is asked about the step: of the wanted kind when it can be. */
export function questionAt(timeline: Timeline, step: number, seed: number, wanted?: Kind): Question {
  const first = wanted && questionOf(wanted, timeline, step, seed)
  if (first) return first
  const order = chanceOf(seed, `kind ${step}`).shuffled(kinds)
  for (const kind of order) {
    const question = questionOf(kind, timeline, step, seed)
    if (question) return question
  }
  return alertQuestion(chanceOf(seed, `alert ${step}`))
}

export interface Turn {
  readonly kind: Kind
  readonly step: number
}

/** The next thing to ask: a kind, unless one is wished for, and a step at which it can be asked. @param turn counted from 0 */
export function turnOf(timeline: Timeline, seed: number, turn: number, wish?: Kind): Turn {
  const chance = chanceOf(seed, `turn ${turn}`)
  const steps = timeline.steps.map(({ index }) => index)
  // Each kind has its turn before one comes again.
  const round = chanceOf(seed, `round ${Math.floor(turn / kinds.length)}`).shuffled(kinds)
  const first = turn % kinds.length
  const order = wish === undefined ? [...round.slice(first), ...round.slice(0, first)] : [wish]
  for (const kind of order) {
    // A break is not asked about at a step.
    for (const step of chance.shuffled(steps)) if (questionOf(kind, timeline, step, seed)) return { kind, step }
  }
  return { kind: "alert", step: 0 }
}
