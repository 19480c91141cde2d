// A recording, run again: the same calls on a connection of the same configuration, whose questions are answered from the file.
// What comes out is compared with what came out then, byte for byte, up to the first difference.

import { ContentType, codePointName } from "../bytes/code-points.ts"
import { copyOf } from "../bytes/copy.ts"
import { messageOf } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { Pause } from "../bytes/pause.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import type { ClientConfig, ServerConfig } from "../connection/config.ts"
import type { ConnectionEvent, Outcome } from "../connection/events.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import type { CryptoProvider } from "../crypto/provider.ts"
import type { DecisionName } from "../handshake/coroutine.ts"
import type { TraceEvent, TraceSink } from "../trace/events.ts"
import { type Asker, asItIs, type Form } from "./asker.ts"
import { formOf, tapedClient, tapedServer } from "./callbacks.ts"
import { RecordingError } from "./errors.ts"
import { configOf } from "./head.ts"
import { type Ask, type Call, type CallName, errorOf, eventText, type Gave, isAlertName, thrownOf } from "./lines.ts"
import { fromPlain, hexOf } from "./plain.ts"
import { type Numbered, type Recording, readRecording } from "./read.ts"

export interface ReplayOptions {
  /**
   * Of which hashes, AEADs and signature checks are taken: any that has the cipher suites. Key exchanges, signatures and random
   * bytes are in the recording.
   */
  readonly provider: CryptoProvider
  /** Told what the connection tells a trace sink. */
  readonly trace?: TraceSink | undefined
}

/** Where the replay is another connection than the one that was recorded. */
export interface Difference {
  /** In the recording: the call, from 1 on. */
  readonly line: number
  readonly call: CallName
  /** One sentence: what came, and what was recorded. */
  readonly message: string
}

/** One call of the recording, and what came of it. */
export interface ReplayStep {
  /** In the recording, from 1 on. */
  readonly line: number
  readonly call: CallName
  /** Milliseconds since 1970, of calls that are told the time. */
  readonly now: number | undefined
  /** Bytes of the peer or of the application that it was given. */
  readonly given: number | undefined
  /** What the connection asked, by name, in order. */
  readonly asked: readonly { readonly what: string; readonly answered: "at once" | "later" | "by throwing" }[]
  readonly traced: readonly TraceEvent[]
  readonly output: Uint8Array
  readonly events: readonly ConnectionEvent[]
  readonly waitsFor: string | undefined
  /** It was a misuse, which is thrown. */
  readonly threw: string | undefined
  readonly difference: Difference | undefined
}

export interface ReplayResult {
  readonly role: "client" | "server"
  /** Milliseconds since 1970. */
  readonly started: number
  readonly steps: readonly ReplayStep[]
  /** undefined: every byte and every event was the same. */
  readonly difference: Difference | undefined
  /** Why the recording ends before its connection did, if it does. */
  readonly cut: string | undefined
}

/**
 * Runs a recording to its end, or to the first difference.
 * @param recording the text of the file
 * @throws RecordingError, and nothing else, for a text that is no recording or cannot be run
 */
export function replay(recording: string, options: ReplayOptions): ReplayResult {
  const run = new Replay(recording, options)
  const steps: ReplayStep[] = []
  for (let step = run.next(); step !== undefined; step = run.next()) steps.push(step)
  const { role, started, difference, cut } = run
  return { role, started, steps, difference, cut }
}

/** The same, a call at a time. */
export class Replay {
  readonly role: "client" | "server"
  /** Milliseconds since 1970. */
  readonly started: number
  readonly cut: string | undefined
  /** What is replayed, as it is after the last step: for looking at, not for calling. */
  readonly connection: ClientConnection | ServerConnection
  readonly #tape: ReplayTape
  readonly #lines: readonly Numbered[]
  #traced: TraceEvent[] = []
  #difference: Difference | undefined

  /** @throws RecordingError */
  constructor(recording: string, { provider, trace }: ReplayOptions) {
    const read = readRecording(recording)
    const { head, lines, cut } = read
    this.role = head.role
    this.started = head.now
    this.cut = cut
    this.#lines = lines
    this.#tape = new ReplayTape(read, () => this.connection.destroy())
    const sink: TraceSink = (event) => {
      this.#traced.push(keptEvent(event))
      trace?.(event)
    }
    this.connection = connectionOf({ ...configOf(head, provider), trace: sink }, head.now, this.#tape)
  }

  get difference(): Difference | undefined {
    return this.#difference
  }

  /** Runs the next call; undefined: there is none, or there was a difference. @throws RecordingError */
  next(): ReplayStep | undefined {
    const line = this.#lines[this.#tape.position]
    if (line === undefined || this.#difference !== undefined || this.#tape.isExhausted) return undefined
    if (line.type !== "call") throw new RecordingError(`line ${line.at} is not the call that is due there`)
    this.#tape.position++
    this.#traced = []
    const { call } = line
    const from = this.#tape.position
    const { outcome, threw } = this.#perform(call, line.at)
    const asked = this.#lines
      .slice(from, this.#tape.position)
      .flatMap((each) => (each.type === "ask" ? [each.ask] : []))
    const problem = this.#problem(outcome, threw)
    if (problem !== undefined) this.#difference = { line: line.at, call: call.do, message: problem }
    return {
      line: line.at,
      call: call.do,
      now: call.now,
      given: call.length ?? (call.bytes === undefined ? undefined : call.bytes.length / 2),
      asked: asked.map(answeredHow),
      traced: this.#traced,
      output: outcome?.output ?? new Uint8Array(0),
      events: outcome?.events ?? [],
      waitsFor: waitsForOf(outcome),
      threw: threw === undefined ? undefined : messageOf(threw),
      difference: this.#difference,
    }
  }

  #perform(call: Call, at: number): { readonly outcome?: Outcome | undefined; readonly threw?: unknown } {
    const where = `line ${at}`
    try {
      const outcome = this.#call(call, where)
      const waitsFor = outcome?.waitsFor
      this.#tape.decision = typeof waitsFor === "object" ? waitsFor.name : undefined
      return { outcome }
    } catch (threw) {
      if (threw instanceof RecordingError) throw threw
      return { threw }
    }
  }

  #call(call: Call, where: string): Outcome | undefined {
    const { connection } = this
    const now = call.now ?? this.started
    const bytes = () => (call.bytes === undefined ? new Uint8Array(call.length ?? 0) : hexOf(call.bytes, where))
    switch (call.do) {
      case "start":
        if (connection instanceof ClientConnection) return connection.start()
        throw new RecordingError(`${where}: start is a call of clients`)
      case "requestCertificate":
        if (connection instanceof ServerConnection) return connection.requestCertificate()
        throw new RecordingError(`${where}: requestCertificate is a call of servers`)
      case "receive":
        return connection.receive(bytes(), now)
      case "receiveEnd":
        return connection.receiveEnd(now)
      case "answer":
        return connection.answer(this.#answer(call, where), now)
      case "reject":
        return connection.reject(call.error && errorOf(call.error), now)
      case "abandon":
        return connection.abandon(call.reason ?? "", now)
      case "abort":
        if (isAlertName(call.alert)) return connection.abort(call.alert, call.reason)
        throw new RecordingError(`${where} has no alert`)
      case "tick":
        return connection.tick(now)
      case "send":
        return connection.send(bytes())
      case "sendEarlyData":
        return connection.sendEarlyData(bytes())
      case "sendHalfRtt":
        return connection.sendHalfRtt(bytes())
      case "updateKeys":
        return connection.updateKeys(call.request === "update_requested" ? call.request : "update_not_requested")
      case "close":
        return connection.close()
      case "destroy":
        connection.destroy()
        return undefined
    }
  }

  #answer(call: Call, where: string): unknown {
    const { decision } = this.#tape
    const plain = fromPlain(call.value, where)
    return decision === undefined ? plain : formOf(decision, this.#tape).revive(plain)
  }

  /** What is other than it was; undefined: nothing. */
  #problem(outcome: Outcome | undefined, threw: unknown): string | undefined {
    const { problem, isExhausted } = this.#tape
    if (problem !== undefined) return problem
    // The file ends within the call.
    if (isExhausted) return undefined
    const line = this.#lines[this.#tape.position]
    if (line === undefined) return undefined
    if (line.type === "ask") {
      const asked = `the recorded connection asked ${line.ask.ask.slice(0, 60)} (line ${line.at}), and this one does not`
      const failed = outcome?.events.some(({ type }) => type === "failed")
      return failed ? `it ends with ${errorText(thrownOf(this.connection.failure))}; ${asked}` : asked
    }
    if (line.type === "call")
      throw new RecordingError(`line ${line.at} is a call, and what came of the last is not there`)
    this.#tape.position++
    return gaveProblem(line.gave, outcome, threw, this.connection.failure, this.#traced)
  }
}

function connectionOf(config: ClientConfig | ServerConfig, now: number, tape: ReplayTape) {
  try {
    return config.role === "client"
      ? new ClientConnection(tapedClient(config, tape), now)
      : new ServerConnection(tapedServer(config, tape), now)
  } catch (error) {
    throw new RecordingError(`line 1: a connection of this configuration cannot begin: ${messageOf(error)}`)
  }
}

function waitsForOf(outcome: Outcome | undefined): string | undefined {
  return typeof outcome?.waitsFor === "object" ? outcome.waitsFor.name : outcome?.waitsFor
}

function answeredHow({ ask, pause, threw }: Ask): ReplayStep["asked"][number] {
  return { what: ask, answered: threw !== undefined ? "by throwing" : pause ? "later" : "at once" }
}

/** Views are valid during the call only. */
function keptEvent(event: TraceEvent): TraceEvent {
  const entries = Object.entries(event).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? copyOf(value) : value,
  ])
  return Object.fromEntries(entries) as TraceEvent
}

/* ---------------------------------------------------------------- answers */

/** The recorded answers, one after the other. */
class ReplayTape implements Asker {
  readonly replays = true
  readonly #lines: readonly Numbered[]
  readonly #destroy: () => void
  /** Of the next line. */
  position = 0
  decision: DecisionName | undefined
  /** The file ends here, in the middle of a call. */
  isExhausted = false
  /** The connection has asked something else than then. */
  problem: string | undefined

  constructor({ lines }: Recording, destroy: () => void) {
    this.#lines = lines
    this.#destroy = destroy
  }

  ask<Answer>(
    what: string,
    _work: () => Answer | Pause<Answer>,
    form: Form<Answer> = asItIs(),
  ): Answer | Pause<Answer> {
    const line = this.#lines[this.position]
    if (line === undefined || this.isExhausted) {
      this.isExhausted = true
      throw new Error("the recording ends here")
    }
    if (line.type !== "ask" || line.ask.ask !== what) {
      const then = line.type === "ask" ? `asked ${line.ask.ask.slice(0, 60)}` : "asked nothing more"
      this.problem ??= `this connection asks ${what}, and the recorded one ${then} (line ${line.at})`
      throw new Error("the recording has no answer to this")
    }
    this.position++
    const { answer, pause, threw, destroys } = line.ask
    if (destroys) this.#destroy()
    if (threw !== undefined) throw errorOf(threw)
    return pause ? new Pause<Answer>() : form.revive(fromPlain(answer, `line ${line.at}`))
  }
}

/* ---------------------------------------------------------------- comparing */

function gaveProblem(
  then: Gave,
  outcome: Outcome | undefined,
  threw: unknown,
  failure: Error | undefined,
  traced: readonly TraceEvent[],
): string | undefined {
  if (threw !== undefined || then.threw !== undefined) {
    const [now, was] = [threw === undefined ? "nothing" : messageOf(threw), then.threw?.message ?? "nothing"]
    return now === was ? undefined : `it throws ${now}; recorded is ${was}`
  }
  const output = outcome?.output ?? new Uint8Array(0)
  const events = outcome?.events ?? []
  const thrown = events.some(({ type }) => type === "failed") ? thrownOf(failure) : undefined
  const [error, wasError] = [errorText(thrown), errorText(then.failure)]
  // Bytes first, unless the connection failed for another reason: its alert would be all that is seen.
  if (error !== wasError) return `it ends with ${error}; recorded is ${wasError}`
  return (
    outputProblem(output, then, traced) ??
    otherThan("the events", events.map(eventText).join(", ") || "none", then.events?.join(", ") || "none") ??
    otherThan("what it waits for", waitsForOf(outcome) ?? "nothing at all", then.waitsFor ?? "nothing at all")
  )
}

function errorText(thrown: { readonly kind: string; readonly message: string } | undefined): string {
  return thrown === undefined ? "no failure" : `${thrown.kind}: ${thrown.message}`
}

function otherThan(what: string, now: string, then: string): string | undefined {
  return now === then ? undefined : `${what}: ${now}; recorded: ${then}`
}

function outputProblem(output: Uint8Array, then: Gave, traced: readonly TraceEvent[]): string | undefined {
  if (then.output === undefined) {
    const { length = 0 } = then
    return otherThan("bytes of output", String(output.length), String(length))
  }
  const now = toHex(output)
  if (now === then.output) return undefined
  let at = 0
  while (at < now.length && now[at] === then.output[at]) at++
  const byte = at >> 1
  const byteOf = (text: string) => (2 * byte < text.length ? `0x${text.slice(2 * byte, 2 * byte + 2)}` : "the end")
  const what = `byte ${byte + 1} of the output (${recordAt(output, byte, traced)}) is ${byteOf(now)}; recorded is ${byteOf(then.output)}`
  return `${what} (${output.length} bytes, and ${then.output.length / 2} then)`
}

/** The record that a byte is in, and what is in that. */
function recordAt(output: Uint8Array, byte: number, traced: readonly TraceEvent[]): string {
  const sent = traced.flatMap((event) => (event.type === "record" && event.direction === "sent" ? [event] : []))
  let at = 0
  for (const [index, { record, innerType }] of sent.entries()) {
    if (byte < at + record.length)
      return `byte ${byte - at + 1} of record ${index + 1}, ${codePointName(ContentType, innerType)}`
    at += record.length
  }
  return `behind ${sent.length} records of ${output.length} bytes`
}
