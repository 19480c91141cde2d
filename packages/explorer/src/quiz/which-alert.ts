// In which alert a break ends. Nobody looks it up: the break is played, and what happens is right.

import { outcomeOf } from "../reading/outcome.ts"
import { breaks } from "../run/breaks.ts"
import type { Timeline } from "../run/step.ts"
import type { Chance } from "./chance.ts"
import { unique } from "./next-message.ts"
import type { Choice, Question, Truth } from "./question.ts"

const noAlert = "none"
const goesOn = "goes on"

/** What any of the breaks ends in. */
const choices: readonly Choice[] = [
  ...unique(breaks.flatMap(({ noticed }) => (noticed === "goes on" ? [] : (noticed.alert ?? []))))
    .toSorted()
    .map((id) => ({ id, text: id })),
  { id: noAlert, text: "No alert: the one who notices just gives up" },
  { id: goesOn, text: "Nobody gives up: it goes on without" },
]

export function alertQuestion(chance: Chance): Question {
  const { id, about } = chance.one(breaks)
  return {
    kind: "alert",
    prompt: "In which alert does this end?",
    given: [["What is done", about]],
    choices,
    section: "RFC 9846 section 6.2",
    breaks: id,
    wrong: {},
  }
}

/** What has come of the break. */
export function alertTruth(broken: Timeline): Truth {
  const { noticed } = outcomeOf(broken)
  if (noticed === undefined) return { right: goesOn, reason: "Neither end gives up.", step: undefined }
  const { by, failure, step } = noticed
  return { right: failure.alert ?? noAlert, reason: `The ${by} notices: ${failure.message}.`, step }
}
