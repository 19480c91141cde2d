// Which end has derived a secret by now.

import type { End, Timeline } from "../run/step.ts"
import { secretMeaning, secretTitle } from "../words/names.ts"
import type { Chance } from "./chance.ts"
import { unique } from "./next-message.ts"
import type { Question } from "./question.ts"

type Knowing = Readonly<Record<End, number | undefined>>

export function secretQuestion({ steps }: Timeline, step: number, chance: Chance): Question | undefined {
  const connection = steps[step]?.connection
  const derived = steps.flatMap(({ connection: of, end, index, happening }) =>
    of === connection && end !== undefined && happening.type === "secret"
      ? [{ end, index, name: happening.name, title: secretTitle(happening.name, happening.generation) }]
      : [],
  )
  if (derived.length === 0) return undefined
  const title = chance.one(unique(derived.map((one) => one.title)))
  const at = (end: End) => derived.find((one) => one.title === title && one.end === end)?.index
  const knowing: Knowing = { client: at("client"), server: at("server") }
  const isKnownTo = (end: End) => (knowing[end] ?? Number.POSITIVE_INFINITY) <= step
  const right = isKnownTo("client")
    ? isKnownTo("server")
      ? "both"
      : "client"
    : isKnownTo("server")
      ? "server"
      : "none"
  const { name } = derived.find((one) => one.title === title)!
  return {
    kind: "secret",
    prompt: `Who has derived ${title} by now?`,
    given: [["What it is", `${secretMeaning(name)}.`]],
    choices: [
      { id: "none", text: "Neither, yet" },
      { id: "client", text: "Only the client" },
      { id: "server", text: "Only the server" },
      { id: "both", text: "Both" },
    ],
    section: "RFC 9846 section 7.1",
    truth: {
      right,
      reason: `${whenText("client", knowing.client)}, ${whenText("server", knowing.server).toLowerCase()}.`,
      step: knowing.client ?? knowing.server,
    },
    wrong: {},
  }
}

function whenText(end: End, at: number | undefined): string {
  return at === undefined ? `The ${end} never does` : `The ${end} derives it at step ${at + 1}`
}
