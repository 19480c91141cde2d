// Over which messages the hash goes that is signed in CertificateVerify, and MACed in Finished (RFC 9846 sections 4.1 and 4.5).

import { isEchAccepted } from "../knowledge/ech-signal.ts"
import { innerHellosOf, sentMessagesOf } from "../knowledge/flow.ts"
import { otherEnd } from "../run/meddling.ts"
import type { End, Happening, Step, Timeline } from "../run/step.ts"
import { messageTitle } from "../words/names.ts"
import type { Chance } from "./chance.ts"
import type { Question } from "./question.ts"

/** A message of the transcript, as one end has it. */
interface Entry {
  readonly step: number
  /** Who wrote it. */
  readonly from: End
  readonly message: Extract<Happening, { type: "message" }>
  /** As the choices say it. */
  readonly title: string
}

/** Messages that both ends may write. */
const ofBoth: readonly string[] = ["certificate", "compressed_certificate", "certificate_verify", "finished"]
/** Messages that are no part of any transcript (section 4.1). */
const apart: readonly string[] = ["new_session_ticket", "key_update"]
const subjects: readonly string[] = ["certificate_verify", "finished"]

export function transcriptQuestion(timeline: Timeline, step: number, chance: Chance): Question | undefined {
  const asked = (["client", "server"] as const).flatMap((end) => nextProof(timeline, step, end) ?? [])
  if (asked.length === 0) return undefined
  const { end, before, subject } = chance.one(asked)
  const verb = subject.message.name === "finished" ? "the MAC in" : "the signature in"
  const flight = before.findLastIndex(({ message }) => message.direction === "received")
  // What people think that it is, each once.
  const wrong: readonly (readonly [entries: readonly Entry[], because: string])[] = [
    [[...before, subject], "A message cannot hold a hash of itself: it would have to be known before it is written."],
    [
      before.slice(0, 1 + before.findIndex(({ message }) => message.name === "server_hello")),
      "Then everything after the hellos could be changed, and it would not be noticed.",
    ],
    [before.slice(flight + 1), `Then it would say nothing of what the ${end} has read.`],
    [before.slice(-1), "Then it could be copied into any other connection in which that message is the same."],
  ]
  const right = idOf(before)
  const offered = new Map<string, readonly Entry[]>([[right, before]])
  for (const [entries] of wrong) if (entries.length > 0) offered.set(idOf(entries), entries)
  const isRetried = before.some(({ message }) => message.name === "hello_retry_request")
  return {
    kind: "transcript",
    prompt: `Which messages are hashed for ${verb} the ${end}'s ${messageTitle(subject.message.name)}?`,
    given: [],
    choices: chance.shuffled([...offered].map(([id, entries]) => ({ id, text: textOf(entries) }))),
    section: `RFC 9846 section ${subject.message.name === "finished" ? "4.5.3" : "4.5.2"}`,
    truth: {
      right,
      reason: `All handshake messages so far, in their order, and not this one.${isRetried ? " The first ClientHello goes in as its hash, in a message_hash." : ""}`,
      step: subject.step,
    },
    wrong: Object.fromEntries(wrong.filter(([entries]) => idOf(entries) !== right).map(([of, why]) => [idOf(of), why])),
  }
}

/** The steps of the messages that a choice stands for. */
export function coveredSteps(choice: string): readonly number[] {
  return choice.split(",").map(Number)
}

function idOf(entries: readonly Entry[]): string {
  return entries.map(({ step }) => step).join(",")
}

function textOf(entries: readonly Entry[]): string {
  return entries
    .map(({ from, message: { name }, title }) => `${ofBoth.includes(name) ? `${from} ` : ""}${title}`)
    .join(", ")
}

/** The CertificateVerify or Finished that the end writes at this step or as its next message, and its transcript before it. */
function nextProof(
  timeline: Timeline,
  step: number,
  end: End,
): { readonly end: End; readonly before: readonly Entry[]; readonly subject: Entry } | undefined {
  const { connection } = timeline.steps[step] ?? {}
  const own = timeline.steps.filter((each) => each.connection === connection && each.end === end)
  const inners = innerSteps(timeline, connection ?? 0, end, own)
  const messages = own.flatMap(({ index, happening }): readonly Entry[] => {
    if (happening.type !== "message" || apart.includes(happening.name)) return []
    const from = happening.direction === "sent" ? end : otherEnd(end)
    const inner = happening.name === "client_hello" ? inners.shift() : undefined
    const title = messageTitle(happening.name)
    return [{ step: inner ?? index, from, message: happening, title: inner === undefined ? title : `${title}Inner` }]
  })
  const at = messages.findIndex((one) => one.message.direction === "sent" && one.step >= step)
  const subject = messages[at]
  if (subject === undefined || !subjects.includes(subject.message.name)) return undefined
  return { end, before: contextOf(messages.slice(0, at)), subject }
}

/** Where Encrypted Client Hello is accepted, the steps of what is hashed in the place of each ClientHello. */
function innerSteps(timeline: Timeline, connection: number, end: End, own: readonly Step[]): number[] {
  const inners = innerHellosOf(timeline, connection)
  if (!isEchAccepted(sentMessagesOf(timeline, connection, end), inners)) return []
  return own.flatMap(({ index, happening }) => (happening.type === "inner-hello" ? [index] : []))
}

/** Section 4.5: after the handshake, its messages and those since the last request. */
function contextOf(messages: readonly Entry[]): readonly Entry[] {
  const finished = messages.flatMap(({ message }, at) => (message.name === "finished" ? [at] : []))
  const handshake = (finished[1] ?? messages.length) + 1
  const request = messages.findLastIndex(({ message }) => message.name === "certificate_request")
  return [...messages.slice(0, handshake), ...messages.slice(Math.max(handshake, request))]
}
