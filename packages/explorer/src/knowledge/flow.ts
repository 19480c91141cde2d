// What one end of a connection has sent and received of the handshake, in order, and what its stack told of its secrets.

import {
  type ClientHello,
  codePointName,
  decodeClientHello,
  decodeNewSessionTicket,
  decodeServerHello,
  handshakeMessage,
  NamedGroup,
  type NewSessionTicket,
} from "@puremq/tls13/explore"
import { otherEnd } from "../run/meddling.ts"
import type { SecretName } from "../run/names.ts"
import type { End, Happening, Timeline } from "../run/step.ts"
import { isEchAccepted } from "./ech-signal.ts"
import { onceForEnd } from "./memo.ts"
import type { SeenMessage } from "./seen-message.ts"
import { type CipherSuiteAlgorithms, suiteByLengths, suiteOf, usualSuite } from "./suites.ts"

export interface ToldSecret {
  readonly step: number
  readonly name: SecretName
  readonly secret: Uint8Array
  readonly generation: number
}

export interface ToldKeys {
  readonly step: number
  readonly sender: End
  readonly secretName: SecretName
  /** N of *_application_traffic_secret_N. */
  readonly generation: number
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

export interface Flow {
  readonly connection: number
  readonly end: End
  /** As they are hashed: where Encrypted Client Hello is accepted, ClientHelloInner is the ClientHello. */
  readonly messages: readonly SeenMessage[]
  readonly secrets: readonly ToldSecret[]
  readonly keys: readonly ToldKeys[]
  /** The key exchange, when it is complete. */
  readonly exchange: { readonly step: number; readonly group: string; readonly secret: Uint8Array } | undefined
  /** The one that its keys are of; before there are any, that of the server's hello, or what the end offers first. */
  readonly suite: CipherSuiteAlgorithms
}

export const flowOf: (timeline: Timeline, connection: number, end: End) => Flow = onceForEnd(
  (timeline, connection, end) => {
    const secrets: ToldSecret[] = []
    const keys: ToldKeys[] = []
    let exchange: Flow["exchange"]
    for (const { index: step, connection: of, end: by, happening } of timeline.steps) {
      if (of !== connection || by !== end) continue
      if (happening.type === "secret") {
        const { name, secret, generation } = happening
        secrets.push({ step, name, secret, generation })
      } else if (happening.type === "keys") {
        const { direction, secretName, key, iv } = happening
        const sender = direction === "sent" ? end : otherEnd(end)
        const generation = secrets.findLast(({ name }) => name === secretName)?.generation ?? 0
        keys.push({ step, sender, secretName, generation, key, iv })
      } else if (happening.type === "exchange") {
        exchange = { step, group: happening.group, secret: happening.secret }
      }
    }
    const messages = withInnerHellos(sentMessagesOf(timeline, connection, end), innerHellosOf(timeline, connection))
    return { connection, end, messages, secrets, keys, exchange, suite: suiteInUse(secrets, keys) ?? suiteIn(messages) }
  },
)

/** The handshake messages that an end has sent and read, as they were on the wire. */
export function sentMessagesOf({ steps }: Timeline, connection: number, end: End): readonly SeenMessage[] {
  const messages: SeenMessage[] = []
  for (const { index: step, connection: of, end: by, happening } of steps) {
    if (of === connection && by === end && happening.type === "message") {
      messages.push(seen(happening, step, end, messages))
    }
  }
  return messages
}

/** ClientHelloInner of a connection's first and second ClientHello, as either end tells. */
export function innerHellosOf({ steps }: Timeline, connection: number): readonly Uint8Array[] {
  const told = (end: End) =>
    steps.flatMap(({ connection: of, end: by, happening }) =>
      of === connection && by === end && happening.type === "inner-hello" ? [happening.message] : [],
    )
  const own = told("client")
  return own.length > 0 ? own : told("server")
}

function withInnerHellos(messages: readonly SeenMessage[], inners: readonly Uint8Array[]): readonly SeenMessage[] {
  if (inners.length === 0 || !isEchAccepted(messages, inners)) return messages
  let next = 0
  return messages.map((seen) =>
    seen.name === "client_hello" ? { ...seen, message: inners[next++] ?? seen.message } : seen,
  )
}

/** The group of the server's key share; false: the ServerHello has none; undefined: there is no ServerHello. */
export function groupOf({ messages }: Flow): string | false | undefined {
  const answer = messages.find(({ name }) => name === "server_hello")
  const hello = answer && serverHelloOf(answer.message)
  if (hello?.kind !== "server_hello") return undefined
  const share = hello.extensions.key_share
  return share === undefined ? false : codePointName(NamedGroup, share.group)
}

/** Whether an end tells of what it sends; of the peer of a saved trace there is only what the other has received. */
export function isTraced(timeline: Timeline, connection: number, end: End): boolean {
  return flowOf(timeline, connection, end).messages.some(({ from }) => from === end)
}

function seen(
  { direction, name, message }: Extract<Happening, { type: "message" }>,
  step: number,
  end: End,
  before: readonly SeenMessage[],
): SeenMessage {
  const from = direction === "sent" ? end : otherEnd(end)
  const afterHandshake =
    before.some((other) => other.from === "client" && other.name === "finished") || isPostHandshake(name)
  return { step, from, name, message, afterHandshake }
}

/** No part of a handshake, wherever it comes. */
function isPostHandshake(name: string): boolean {
  return name === "new_session_ticket" || name === "key_update"
}

/** What an end does counts, not what somebody has made of its hello. */
function suiteInUse(secrets: readonly ToldSecret[], keys: readonly ToldKeys[]): CipherSuiteAlgorithms | undefined {
  const [secret, told] = [secrets[0], keys[0]]
  return secret && told && suiteByLengths(secret.secret.length, told.key.length)
}

function suiteIn(messages: readonly SeenMessage[]): CipherSuiteAlgorithms {
  for (const { name, message } of messages) {
    if (name !== "server_hello" && name !== "hello_retry_request") continue
    const code = serverHelloOf(message)?.cipherSuite
    const suite = code === undefined ? undefined : suiteOf(code)
    if (suite) return suite
  }
  const hello = messages.find(({ name }) => name === "client_hello")
  const offered = (hello && clientHelloOf(hello.message)?.cipherSuites) ?? []
  return offered.map(suiteOf).find((suite) => suite !== undefined) ?? usualSuite
}

/* ---------------------------------------------------------------- messages that may be anything */

export function clientHelloOf(message: Uint8Array): ClientHello | undefined {
  return attempt(() => decodeClientHello(handshakeMessage(message)))
}

type ServerHello = Extract<ReturnType<typeof decodeServerHello>, { kind: "server_hello" | "hello_retry_request" }>

export function serverHelloOf(message: Uint8Array): ServerHello | undefined {
  const hello = attempt(() => decodeServerHello(handshakeMessage(message)))
  return hello?.kind === "legacy" ? undefined : hello
}

export function ticketOf(message: Uint8Array): NewSessionTicket | undefined {
  return attempt(() => decodeNewSessionTicket(handshakeMessage(message)))
}

/** A message that somebody has changed may be none: nothing is known of it then. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
