// What the rows of MQTT want of a client, whoever wrote it, and of a broker.

import type { Run } from "./program.ts"

export type Qos = 0 | 1 | 2

/** Of our broker in these rows, so that clients meet them. */
export const brokerLimits = { receiveMaximum: 4, maximumPacketSize: 4096 } as const

export interface Will {
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  /** Will Delay Interval, seconds; MQTT 5.0 only. */
  readonly delay?: number
}

/** How a client connects. What only MQTT 5.0 has is given to a client of 5.0 alone. */
export interface Connect {
  /** Client Identifier. */
  readonly id: string
  /** Clean Start 0, or Clean Session 0 in 3.1.1: go on with the session that is there. */
  readonly resume?: boolean
  /** Session Expiry Interval, seconds; 5.0. */
  readonly expiry?: number
  readonly withCertificate?: boolean
  readonly will?: Will
  /** 5.0, as the next two. */
  readonly receiveMaximum?: number
  /** In bytes. */
  readonly maximumPacketSize?: number
  readonly topicAliasMaximum?: number
}

export interface Subscribe extends Connect {
  /** undefined: it only connects. */
  readonly filter?: string
  readonly qos?: Qos
  /** Does not acknowledge before it is told to; for clients that can. */
  readonly hold?: boolean
}

export interface Publish extends Connect {
  readonly topic: string
  readonly qos: Qos
  /** A message each, sent without waiting for the acknowledgement of the last. */
  readonly payloads: readonly string[]
  readonly retain?: boolean
  /** Message Expiry Interval, seconds; 5.0. */
  readonly messageExpiry?: number
  /** Name the topic in the first message and only its Topic Alias, 1, in the others; 5.0. */
  readonly alias?: boolean
}

/** What a client does not tell is undefined. */
export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos?: number
  readonly retain?: boolean
  /** Message Expiry Interval, seconds. */
  readonly expiry?: number
  /** It came with its Topic Alias alone. */
  readonly aliased?: boolean
}

export interface Subscriber {
  readonly sessionPresent: boolean | undefined
  /** Waits until so many have come; gives all that have. */
  messages(count: number): Promise<readonly Message[]>
  /** Acknowledges what it holds, and from now on what comes. */
  acknowledge(): void
  /** With DISCONNECT. */
  leave(): Promise<void>
  /** Without a word. */
  vanish(): Promise<void>
}

export interface MqttClient {
  /** Resolves once it is connected and subscribed. */
  subscribe(run: Run, broker: RunningBroker, options: Subscribe): Promise<Subscriber>
  /** Resolves once everything is acknowledged. @throws when it could not connect, or a message was refused */
  publish(run: Run, broker: RunningBroker, options: Publish): Promise<void>
  /** It can put off acknowledgements while messages come. */
  readonly holds?: boolean
  /** It leaves with Reason Code 0x04, Disconnect with Will Message. */
  readonly leavesWithWill?: boolean
  /** It does not say so when it does not send what is larger than the broker takes. */
  readonly keepsLargeQuiet?: boolean
  /** Gives messages of these QoS their topic when only a Topic Alias came; default: all. */
  readonly resolvesAliases?: readonly Qos[]
}

export interface RunningBroker {
  readonly port: number
  /** Resolves at the next SUBSCRIBE of this client that it answers, for clients that do not tell. */
  nextSubscribe(clientId: string): Promise<void>
}

/** Starts a broker with our certificate; `withCertificate`: clients must show one of our authority. */
export type MqttBroker = (run: Run, options: { readonly withCertificate: boolean }) => Promise<RunningBroker>

/** Messages that have come, and who waits for more: for clients in this process and those that print them. */
export class Inbox {
  readonly #messages: Message[] = []
  readonly #waiting = new Set<() => void>()

  push(message: Message): void {
    this.#messages.push(message)
    for (const look of this.#waiting) look()
  }

  reach(count: number): Promise<readonly Message[]> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.#messages.length < count) return
        this.#waiting.delete(look)
        resolve([...this.#messages])
      }
      this.#waiting.add(look)
      look()
    })
  }
}
