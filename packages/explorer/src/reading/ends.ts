// What one end knows at a step, and does not know yet.

import { type StateName, type TransitionRow, transitions } from "@puremq/tls13/explore"
import type { SecretName } from "../run/names.ts"
import type { Direction, End, Failure, Step, Timeline } from "../run/step.ts"

export interface SecretRow {
  readonly name: SecretName
  readonly generation: number
  /** undefined: not yet, or never. */
  readonly secret: Uint8Array | undefined
  /** When it was, or will be, derived; undefined: never. */
  readonly step: number | undefined
}

/** What speaks for the peer being who it should be, in the order in which it comes. */
export interface ProofRow {
  /** As long as it is not known: what is not. */
  readonly text: string
  readonly step: number
  readonly isKnown: boolean
}

export interface Taken {
  readonly from: StateName
  readonly to: StateName
  readonly message: string | undefined
}

export interface EndState {
  readonly state: StateName
  /** The steps of the table that it has taken, in order. */
  readonly taken: readonly Taken[]
  /** What it would take next; nothing as long as it is answering. */
  readonly legal: readonly TransitionRow[]
  /** A message that it has read and not done with yet: it writes, derives and checks what follows from it. */
  readonly answering: string | undefined
  readonly secrets: readonly SecretRow[]
  readonly proofs: readonly ProofRow[]
  /** Of which secret the keys are in use, each way. */
  readonly keys: Readonly<Record<Direction, SecretName | undefined>>
  readonly failure: Failure | undefined
  readonly isClosed: boolean
}

/** Of section 7.1, from the top. */
const order: readonly SecretName[] = [
  "early_secret",
  "binder_key",
  "client_early_traffic_secret",
  "early_exporter_secret",
  "handshake_secret",
  "client_handshake_traffic_secret",
  "server_handshake_traffic_secret",
  "main_secret",
  "client_application_traffic_secret",
  "server_application_traffic_secret",
  "exporter_secret",
  "resumption_secret",
]

export function endAt({ steps }: Timeline, connection: number, upTo: number, end: End): EndState {
  let state: StateName = "START"
  const taken: Taken[] = []
  let failure: Failure | undefined
  let isClosed = false
  const keys: Record<Direction, SecretName | undefined> = { sent: undefined, received: undefined }
  const proofs: ProofRow[] = []
  const rows = new Map<string, SecretRow>()
  let answering: string | undefined
  for (const step of steps) {
    if (step.connection !== connection || step.end === undefined) continue
    const { happening, index } = step
    const isPast = index <= upTo
    if (happening.type === "secret") {
      const { name, generation, secret } = happening
      const key = `${String(order.indexOf(name)).padStart(2, "0")} ${String(generation).padStart(4, "0")}`
      const isOurs = step.end === end
      // What only the other end derives is shown as not known here.
      if (isOurs) rows.set(key, { name, generation, secret: isPast ? secret : undefined, step: index })
      else if (!rows.has(key)) rows.set(key, { name, generation, secret: undefined, step: undefined })
    }
    if (step.end !== end) continue
    const proof = proofOf(end, happening)
    if (proof !== undefined) proofs.push({ text: isPast ? proof.text : proof.open, step: index, isKnown: isPast })
    if (!isPast) continue
    if (happening.type === "message" && happening.direction === "received") {
      answering = isDoneLater(steps, step, upTo) ? happening.name : undefined
    } else if (happening.type === "state") {
      state = happening.to
      taken.push({ from: happening.from, to: happening.to, message: happening.message })
    } else if (happening.type === "keys") keys[happening.direction] = happening.secretName
    else if (happening.type === "failed") failure = happening.failure
    else if (happening.type === "closed") isClosed = true
  }
  return {
    state,
    taken,
    answering,
    legal:
      answering === undefined ? transitions[end].filter((row) => row.from === state && !isSecondRetry(row, taken)) : [],
    secrets: [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    proofs,
    keys,
    failure,
    isClosed,
  }
}

/** Whether an end that has read a message goes on to its next state, or gives up, behind a step only. */
function isDoneLater(steps: Timeline["steps"], read: Step, upTo: number): boolean {
  for (const { index, connection, end, happening } of steps.slice(read.index + 1)) {
    if (connection !== read.connection || end !== read.end) continue
    if (happening.type === "message" && happening.direction === "received") return false
    const isDone = (happening.type === "state" && happening.message !== undefined) || happening.type === "failed"
    if (isDone) return index > upTo
  }
  return false
}

/** RFC 9846 section 4.2.4: there is one HelloRetryRequest in a connection, and no 0-RTT data after it. */
export function isSecondRetry({ from, message, to, when }: TransitionRow, taken: readonly Taken[]): boolean {
  const wasRetried = taken.some((step) => step.from === step.to && (step.from === "WAIT_SH" || step.from === "START"))
  if (!wasRetried) return false
  const retriesAgain = from === to && (message === "server_hello" || message === "client_hello")
  return retriesAgain || when === "0-RTT data is taken"
}

interface Proof {
  readonly text: string
  /** The same, before it is known. */
  readonly open: string
}

function proofOf(end: End, happening: Timeline["steps"][number]["happening"]): Proof | undefined {
  const peer = end === "client" ? "the server" : "the client"
  if (happening.type === "message" && happening.direction === "received") {
    const { name, message } = happening
    // A client without a certificate sends an empty list.
    if ((name === "certificate" && message.length > 8) || name === "compressed_certificate") {
      return { text: `${peer} shows a certificate, which anybody could`, open: "not yet shown: a certificate" }
    }
    return undefined
  }
  if (happening.type === "state") {
    if (happening.message === "certificate_verify") {
      const text = `${peer} has the certificate's private key`
      return { text, open: `not yet proven: that ${text}` }
    }
    if (happening.message === "finished") {
      const text = "both have seen the same handshake"
      return { text, open: `not yet proven: that ${text}` }
    }
    return undefined
  }
  if (happening.type === "connected") {
    const { info } = happening
    const open = `not yet accepted: who ${peer} is`
    if (info.authentication === "none") return { text: `nobody has said who ${peer} is`, open }
    if (info.authentication === "psk") {
      return { text: `${peer} has the pre-shared key`, open: `not yet accepted: that ${peer} has the pre-shared key` }
    }
    return { text: `it is ${info.peer?.subject || "the owner of a key known beforehand"}`, open }
  }
  return undefined
}
