// The other end of a saved trace: what it sent was read here, and shows what it had read before and which secrets it must have. What it
// does not show is not told: whether it has read the last that it was sent, say.

import { alertName } from "@puremq/tls13"
import {
  ContentType,
  copyOf,
  decodeEncryptedExtensions,
  decodeServerHello,
  ExtensionType,
  HandshakeJoiner,
  handshakeMessage,
} from "@puremq/tls13/explore"
import { attempt, clientHelloOf } from "../knowledge/flow.ts"
import type { SecretName } from "../run/names.ts"
import type { End, Happening } from "../run/step.ts"
import { messageHappening } from "../run/traced.ts"
import { messageName } from "./message-name.ts"
import { StatesSeen } from "./states.ts"

type Of<Type extends Happening["type"]> = Extract<Happening, { type: Type }>
type Told = Of<"secret"> | Of<"keys">

const longestMessage = 2 ** 24 - 1
const afterwards: readonly string[] = ["new_session_ticket", "key_update"]

export class OtherEnd {
  readonly #end: End
  readonly #tell: (happening: Happening) => void
  readonly #states: StatesSeen
  readonly #joiner = new HandshakeJoiner(longestMessage)
  /** What it was sent, and has not shown yet that it has read. */
  #unread: { readonly name: string; readonly message: Uint8Array }[] = []
  /** What this end has told of its own, and the other has not shown yet that it has. */
  #unshown: Told[] = []
  /** Of the records that are read here. */
  #protectedBy: SecretName | undefined
  #gaveTicket = false
  /** Whether it is a client that seems to have sent a ClientHelloInner, and whether that was opened here. */
  #offersInner = false
  #innerOpened = false
  #isRejected = false
  /** What the server's Finished leads to, until it shows that it goes on behind its own. */
  #afterFinished: (() => void) | undefined

  /** @param tell a step of it */
  constructor(end: End, tell: (happening: Happening) => void) {
    this.#end = end
    this.#tell = tell
    this.#states = new StatesSeen((of, from, message, to) => {
      if (of === end) tell({ type: "state", from, message, to })
    })
  }

  /** What the trace tells of its own end. */
  saw(happening: Happening): void {
    if (happening.type === "message" && happening.direction === "sent") {
      this.#unread.push({ name: happening.name, message: happening.message })
    } else if (happening.type === "inner-hello") {
      this.#innerOpened = true
    } else if (happening.type === "secret") {
      this.#unshown.push(happening)
    } else if (happening.type === "keys") {
      this.#unshown.push(happening)
      if (happening.direction === "received") this.#protectedBy = happening.secretName
    }
  }

  /** What it did before a record of it came here, the making of the record included. */
  sent(record: Of<"record">): void {
    const { innerType, content } = record
    if (isRejection(record)) this.#isRejected = true
    else this.#afterFinished?.()
    this.#afterFinished = undefined
    const messages = innerType === ContentType.handshake ? this.#joined(content) : []
    for (const message of messages) {
      const name = messageName(message)
      // It answers what it has read.
      this.#read(this.#readBefore(name))
      this.#understand(name, message)
    }
    if (record.protected) this.#show(innerType === ContentType.alert)
    for (const message of messages) this.#write(messageName(message), message)
    if (innerType === ContentType.alert && content.length === 2) {
      this.#tell({ type: "alert", direction: "sent", level: content[0]!, description: alertName(content[1]!) })
    }
    this.#tell({ ...record, direction: "sent" })
  }

  #joined(content: Uint8Array): Uint8Array[] {
    this.#joiner.push(content)
    const messages: Uint8Array[] = []
    for (let next = this.#joiner.next(); next !== undefined; next = this.#joiner.next()) messages.push(copyOf(next))
    return messages
  }

  #understand(name: string, message: Uint8Array): void {
    if (name === "client_hello") {
      this.#offersInner =
        this.#end === "client" && clientHelloOf(message)?.extensions.encrypted_client_hello !== undefined
    } else if (name === "server_hello") {
      const hello = attempt(() => decodeServerHello(handshakeMessage(message)))
      this.#states.pskSelected =
        hello?.kind === "server_hello" && hello.extensionTypes.includes(ExtensionType.pre_shared_key)
    } else if (name === "encrypted_extensions") {
      const types = attempt(() => decodeEncryptedExtensions(handshakeMessage(message)).types)
      this.#states.earlyDataAccepted = types?.includes(ExtensionType.early_data) ?? false
    } else if (name === "new_session_ticket") this.#gaveTicket = true
  }

  #write(name: string, message: Uint8Array): void {
    this.#tell(messageHappening({ type: "message", direction: "sent", name: messageName(message), message }))
    this.#states.saw(this.#end, name, message)
  }

  /** How many of the messages that it was sent it must have read before it sends this one. */
  #readBefore(name: string): number {
    // New keys may be taken at any time (section 4.7.3).
    if (name === "key_update") return 0
    const names = this.#unread.map((message) => message.name)
    // Tickets, and questions behind a handshake, come of whoever has the client's Finished (sections 4.7.1 and 4.7.2).
    if (this.#end === "server" && names.includes("finished")) return names.indexOf("finished") + 1
    return names.findLastIndex((each) => !afterwards.includes(each)) + 1
  }

  #read(count: number): void {
    const read = this.#unread.slice(0, count)
    this.#unread = this.#unread.slice(count)
    for (const { message } of read) {
      const name = messageName(message)
      this.#tell(messageHappening({ type: "message", direction: "received", name, message }))
      this.#understand(name, message)
      const saw = () => this.#states.saw(this.#end === "client" ? "server" : "client", name, message)
      // Who is rejected ends where others are CONNECTED (RFC 9849 section 6.1.6).
      if (name === "finished" && this.#offersInner && !this.#innerOpened) this.#afterFinished = saw
      else saw()
    }
  }

  /**
   * The secrets that it can compute, as it seals with one of them; and their keys, the other way round.
   * @param givesUp it may have come no further than to the keys of this record
   */
  #show(givesUp: boolean): void {
    const later: Told[] = []
    this.#unshown.forEach((told, at) => {
      const name = told.type === "secret" ? told.name : told.secretName
      if (stageOf(name) > this.#stageShown(givesUp) || (name === "resumption_secret" && !this.#hasAllMessages())) {
        later.push(told)
        return
      }
      // The early_secret of a pre-shared key that was not taken has another in its place.
      const isReplaced = name === "early_secret" && this.#unshown.slice(at + 1).some((next) => isSecret(next, name))
      if (isReplaced || (this.#end === "server" && !this.#serverHas(name))) return
      this.#tell(told.type === "keys" ? { ...told, direction: turned[told.direction] } : told)
    })
    this.#unshown = later
  }

  #stageShown(givesUp: boolean): number {
    const stage = this.#protectedBy === undefined ? 0 : stageOf(this.#protectedBy)
    // A client that goes on has read all of the server's flight: the third stage follows from it.
    return stage === 1 && !givesUp ? 2 : stage
  }

  #hasAllMessages(): boolean {
    return this.#end === "client" ? !this.#isRejected : this.#gaveTicket
  }

  /** Secrets of a pre-shared key are made by a server that takes it, and those of 0-RTT data by one that takes that. */
  #serverHas(name: SecretName): boolean {
    if (name === "binder_key") return this.#states.pskSelected
    return stageOf(name) > 0 || name === "early_secret" || this.#states.earlyDataAccepted
  }
}

/** Of section 7.1: early, handshake, main. */
function stageOf(name: SecretName): 0 | 1 | 2 {
  if (name.includes("early") || name === "binder_key") return 0
  return name.includes("handshake") ? 1 : 2
}

function isSecret(told: Told, name: SecretName): boolean {
  return told.type === "secret" && told.name === name
}

const turned = { sent: "received", received: "sent" } as const

function isRejection({ innerType, content }: Of<"record">): boolean {
  return innerType === ContentType.alert && content.length === 2 && alertName(content[1]!) === "ech_required"
}
