// The 8 bytes by which a server shows that it has opened ClientHelloInner (RFC 9849 sections 7.2 and 7.2.1), computed again.

import {
  confirmation,
  decodeServerHello,
  equalBytes,
  handshakeMessage,
  serverHelloSignal,
  Transcript,
} from "@puremq/tls13/explore"
import type { SeenMessage } from "./seen-message.ts"
import { suiteOf } from "./suites.ts"

export interface EchSignal {
  readonly step: number
  readonly name: "server_hello" | "hello_retry_request"
  readonly message: Uint8Array
  /** The first of its 8 bytes in the message. */
  readonly at: number
  readonly inMessage: Uint8Array
  /** What only who has ClientHelloInner can compute. */
  readonly computed: Uint8Array
  readonly isRight: boolean
}

/**
 * Those of the server's answers that a client compares.
 * @param messages as they were sent
 * @param inners ClientHelloInner of each ClientHello
 */
export function echSignals(messages: readonly SeenMessage[], inners: readonly Uint8Array[]): readonly EchSignal[] {
  const [first, second] = inners
  const answers = answersIn(messages)
  const signals: EchSignal[] = []
  for (const { step, message } of answers) {
    const hello = read(message)
    const hash = hello && suiteOf(hello.cipherSuite)?.hash
    if (first === undefined || hello === undefined || hash === undefined) continue
    const random = first.subarray(6, 38)
    const add = (name: EchSignal["name"], at: number, computed: Uint8Array) => {
      const inMessage = message.subarray(at, at + 8)
      signals.push({ step, name, message, at, inMessage, computed, isRight: equalBytes(inMessage, computed) })
    }
    if (hello.kind === "hello_retry_request") {
      const signal = hello.extensions.encrypted_client_hello
      if (signal?.length !== 8) continue
      const at = signal.byteOffset - message.byteOffset
      const transcript = Transcript.afterHelloRetryRequest(hash, first)
      add("hello_retry_request", at, confirmation("hrr ech accept confirmation", hash, random, transcript, message, at))
      continue
    }
    const retry = answers[0]!.message
    const isSecond = retry !== message
    if (isSecond && second === undefined) continue
    const transcript = isSecond ? Transcript.afterHelloRetryRequest(hash, first) : new Transcript(hash)
    if (isSecond) transcript.add(retry)
    transcript.add(isSecond ? second! : first)
    const at = serverHelloSignal
    add("server_hello", at, confirmation("ech accept confirmation", hash, random, transcript, message, at))
  }
  return signals
}

/** Before there is an answer, a client goes by ClientHelloInner. */
export function isEchAccepted(messages: readonly SeenMessage[], inners: readonly Uint8Array[]): boolean {
  return answersIn(messages).length === 0 || echSignals(messages, inners)[0]?.isRight === true
}

function answersIn(messages: readonly SeenMessage[]): readonly SeenMessage[] {
  return messages.filter(({ name }) => name === "hello_retry_request" || name === "server_hello")
}

/** A message that somebody has changed may be none. */
function read(message: Uint8Array) {
  try {
    const hello = decodeServerHello(handshakeMessage(message))
    return hello.kind === "legacy" ? undefined : hello
  } catch {
    return undefined
  }
}
