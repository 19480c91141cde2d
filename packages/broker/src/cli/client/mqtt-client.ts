// The client of the commands: MqttClient over a byte stream of Node, with promises for its answers, payloads as they come from files,
// and the login by SCRAM.

import type { Duplex } from "node:stream"
import type { ScramClient } from "../../access/scram-client.ts"
import { ScramError } from "../../access/scram-messages.ts"
import { MqttClient } from "../../mqtt-client/client.ts"
import type { MqttClientError } from "../../mqtt-client/errors.ts"
import type { ClientEvent } from "../../mqtt-client/events.ts"
import { largestPacket } from "../../mqtt-client/options.ts"
import type { ConnectRequest as PlainRequest, PublishHead } from "../../mqtt-client/packets.ts"
import { reasonText } from "../../mqtt-client/reasons.ts"
import type { Received } from "../../mqtt-client/received.ts"
import { PacketError } from "../../packet/errors.ts"
import type { ConnackPacket, SubscriptionRequest } from "../../packet/packets.ts"
import type { PropertyValue } from "../../packet/property-values.ts"
import { ClientError, type Explain, explained, NoAnswer } from "./errors.ts"
import { PacketWriter, type Payload } from "./packet-writer.ts"
import { Window } from "./window.ts"

/** Milliseconds that a broker has for CONNACK, from the first byte sent on. */
const patience = 60_000
/** Milliseconds that a broker has to close the connection after DISCONNECT. */
const goodbye = 5000

export interface ConnectRequest extends PlainRequest {
  /** Who answers AUTH; `properties` have its method and first message. */
  readonly scram?: ScramClient | undefined
}

export interface PublishRequest extends PublishHead {
  readonly payload: Payload
}

export interface ClientOptions {
  readonly request: ConnectRequest
  /** Says whether it took the message: one that it did not is not acknowledged, so that a session keeps it. */
  readonly onMessage: (message: Received) => boolean
  readonly explain: Explain
  /** Messages of QoS 1 and 2 that may be unacknowledged at once; the broker may want fewer. */
  readonly maximumInFlight?: number
}

export interface Acknowledged {
  /** Below 0x80. */
  readonly reasonCode: number
}

/** Of SUBACK or UNSUBACK: a Reason Code for each filter; MQTT 3.1.1 has none in UNSUBACK. */
export interface Answer {
  readonly reasonCodes: readonly number[]
  readonly reasonString: string | undefined
}

interface Waiter {
  readonly resolve: (value: ClientEvent) => void
  readonly reject: (error: Error) => void
}

export class StreamClient {
  readonly #stream: Duplex
  readonly #writer: PacketWriter
  readonly #client: MqttClient
  readonly #scram: ScramClient | undefined
  readonly #onMessage: ClientOptions["onMessage"]
  readonly #explain: Explain
  readonly #window: Window
  /** By Packet Identifier; 0: CONNACK. */
  readonly #waiting: Map<number, Waiter> = new Map()
  #answered = false
  /** The AUTH of the broker has been answered. */
  #proven = false
  #failure: Error | undefined
  #timer: NodeJS.Timeout | undefined
  /** Why nothing is read: the reader of messages is slow, or the broker does not take our acknowledgements. */
  readonly #held: Set<"reader" | "broker"> = new Set()
  /** Rejects when the connection fails. */
  readonly closed: Promise<void>

  constructor(stream: Duplex, { request, onMessage, explain, maximumInFlight = 20 }: ClientOptions) {
    this.#explain = explain
    this.#stream = stream
    this.#writer = new PacketWriter(stream)
    this.#scram = request.scram
    this.#onMessage = onMessage
    this.#window = new Window(maximumInFlight)
    const limits = { maximumPacketSize: largestPacket, receiveMaximum: 0xffff, maximumInFlight }
    // What waits is the stream's to say.
    const own = { ...limits, maximumWaiting: Number.POSITIVE_INFINITY, patience: Number.POSITIVE_INFINITY }
    // Identifiers of an earlier connection may still be taken in a session that goes on.
    const firstPacketId = request.cleanStart ? 1 : 1 + Math.floor(Math.random() * 0xffff)
    this.#client = new MqttClient({ ...request, ...own, firstPacketId }, (event) => this.#took(event))
    this.closed = new Promise((resolve, reject) => {
      stream.on("error", (error) => this.#fail(explain(error, this.#answered)))
      stream.on("close", () => {
        clearTimeout(this.#timer)
        this.#fail(explain(undefined, this.#answered))
        if (this.#failure === ended) resolve()
        else reject(this.#failure ?? new ClientError("closed"))
      })
    })
    this.closed.catch(() => undefined) // also told to whoever waits for an answer
    stream.on("data", (chunk: Uint8Array) => {
      this.#client.receive(chunk, performance.now())
      this.#flush()
    })
  }

  /** Sends CONNECT; resolves with the CONNACK. */
  async connect(milliseconds: number = patience): Promise<ConnackPacket> {
    this.#client.connect(performance.now())
    this.#flush()
    const timer = setTimeout(() => {
      this.#refuse(new NoAnswer(`does not answer in ${Math.ceil(milliseconds / 1000)} s`))
    }, milliseconds)
    const event = await this.#answer(0).finally(() => clearTimeout(timer))
    if (event.event !== "connected") throw new ClientError("no CONNACK")
    this.#keepAlive()
    return event.connack
  }

  /** Resolves with what the broker grants, or refuses, in the order of the subscriptions. */
  subscribe(subscriptions: readonly SubscriptionRequest[], properties: readonly PropertyValue[] = []): Promise<Answer> {
    return this.#ask(() => this.#client.subscribe(subscriptions, properties))
  }

  /** Resolves with a Reason Code for each filter; MQTT 3.1.1 has none. */
  unsubscribe(filters: readonly string[], properties: readonly PropertyValue[] = []): Promise<Answer> {
    return this.#ask(() => this.#client.unsubscribe(filters, properties))
  }

  /**
   * Resolves when the message is written and another one may be: the connection takes more, and fewer are unacknowledged than
   * the broker allows. `acknowledged` resolves when the broker has taken it (QoS 0: at once).
   */
  async send(request: PublishRequest): Promise<{ readonly acknowledged: Promise<Acknowledged> }> {
    const { qos, payload } = request
    if (this.#failure !== undefined) throw this.#failure
    if (qos > 0) await this.#window.enter()
    let begun: ReturnType<MqttClient["publishHead"]>
    try {
      if (this.#failure !== undefined) throw this.#failure
      begun = explained(this.#client.connack, () => this.#client.publishHead(request))
    } catch (error) {
      if (qos > 0) this.#window.leave()
      throw error
    }
    const { packetId, head } = begun
    const acknowledged = qos === 0 ? Promise.resolve({ reasonCode: 0 }) : this.#acknowledgement(packetId)
    acknowledged.catch(() => undefined) // whoever waits for it is told
    try {
      await this.#writer.send(head, payload)
    } catch (error) {
      // A part of a packet is nothing that another one may follow.
      this.#stream.destroy()
      throw this.#failure ?? error
    }
    return { acknowledged }
  }

  /** Resolves when the broker has taken the message (QoS 0: when it is written). */
  async publish(request: PublishRequest): Promise<Acknowledged> {
    const { acknowledged } = await this.send(request)
    return acknowledged
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#hold("reader")
  }

  resume(): void {
    this.#release("reader")
  }

  /** Sends DISCONNECT and ends the connection. MQTT 3.1.1 has neither reason nor properties. */
  end(reasonCode: number = 0, properties: readonly PropertyValue[] = []): void {
    if (this.#failure !== undefined) return
    this.#failure = ended
    const stream = this.#stream
    if (!this.#answered) {
      stream.destroy()
      return
    }
    this.#client.disconnect(reasonCode, properties)
    stream.end(this.#client.take(), () => {
      const timer = setTimeout(() => stream.destroy(), goodbye)
      stream.once("close", () => clearTimeout(timer))
    })
    stream.resume()
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#failure ??= ended
    this.#stream.destroy()
  }

  /** Does `work`; when it fails, ends the connection, so that the process can end. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      // With a DISCONNECT, unless it is lost: the broker would send the will.
      this.end()
      throw error
    }
  }

  async #ask(ask: () => number): Promise<Answer> {
    if (this.#failure !== undefined) throw this.#failure
    const packetId = explained(this.#client.connack, ask)
    this.#flush()
    const event = await this.#answer(packetId)
    if (event.event !== "subscribed" && event.event !== "unsubscribed") throw new ClientError("another answer")
    const { reasonCodes, reasonString } = event
    return { reasonCodes, reasonString }
  }

  async #acknowledgement(packetId: number): Promise<Acknowledged> {
    const event = await this.#answer(packetId).finally(() => this.#window.leave())
    if (event.event !== "acknowledged") throw new ClientError("another answer")
    const { reasonCode, reasonString } = event
    if (reasonCode >= 0x80)
      throw new ClientError(`the broker refused the message: ${reasonText(reasonCode, reasonString)}`)
    return { reasonCode }
  }

  /** Calls the client's `tick` when it is due. */
  #keepAlive(): void {
    const { tickAt } = this.#client
    if (tickAt === Number.POSITIVE_INFINITY || this.#failure !== undefined) return
    this.#timer = setTimeout(
      () => {
        // What is on its way, or waits to be read, is a sign of life too.
        const busy = this.#writer.busy || this.#held.size > 0
        if (!busy) {
          this.#client.tick(performance.now())
          this.#flush()
        }
        this.#keepAlive()
      },
      Math.max(tickAt - performance.now(), 10),
    )
    this.#timer.unref()
  }

  #hold(why: "reader" | "broker"): void {
    this.#held.add(why)
    this.#stream.pause()
  }

  #release(why: "reader" | "broker"): void {
    this.#held.delete(why)
    if (this.#held.size === 0) this.#stream.resume()
  }

  #answer(packetId: number): Promise<ClientEvent> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => this.#waiting.set(packetId, { resolve, reject }))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const waiter of this.#waiting.values()) waiter.reject(this.#failure)
    this.#waiting.clear()
    this.#window.open()
  }

  #refuse(error: Error): void {
    this.#fail(this.#explain(error, this.#answered))
    this.#stream.destroy()
  }

  /** Writes what the client has to say, and reads no more of a broker that does not take it. */
  #flush(): void {
    if (this.#client.waiting === 0) return
    this.#writer.write(this.#client.take())
    if (!this.#stream.writableNeedDrain || this.#held.has("broker")) return
    this.#hold("broker")
    this.#writer.drained().then(
      () => this.#release("broker"),
      () => undefined,
    )
  }

  /** Returns whether a message was taken. */
  #took(event: ClientEvent): boolean {
    switch (event.event) {
      case "message":
        return this.#failure === undefined && this.#onMessage(event)
      case "connected":
        return this.#connected(event)
      case "authentication":
        this.#prove(event.data)
        return true
      case "closed":
        if (event.error !== undefined) this.#ended(event.error)
        return true
      default:
        this.#settle(event.packetId, event)
        return true
    }
  }

  #settle(packetId: number, event: ClientEvent): void {
    const waiter = this.#waiting.get(packetId)
    this.#waiting.delete(packetId)
    waiter?.resolve(event)
  }

  /** Answers the broker's AUTH, once. */
  #prove(data: Uint8Array | undefined): void {
    const scram = this.#scram
    if (scram === undefined || this.#proven) {
      const what = scram === undefined ? ", which was not asked for (--scram)" : " once more than SCRAM has it"
      this.#refuse(new ClientError(`the broker asks for enhanced authentication (AUTH)${what}`))
      return
    }
    this.#proven = true
    scram.final(data ?? new Uint8Array(0)).then(
      (answer) => {
        if (this.#failure !== undefined) return
        this.#client.authenticate(answer)
        this.#flush()
      },
      (error: unknown) => this.#refuse(withoutProof(error)),
    )
  }

  #connected(event: ClientEvent & { readonly event: "connected" }): boolean {
    this.#answered = true
    const { connack } = event
    try {
      this.#scram?.verify(connack.authenticationData)
    } catch (error) {
      this.#refuse(withoutProof(error))
      return true
    }
    this.#window.limit(connack.receiveMaximum ?? 0xffff)
    this.#settle(0, event)
    return true
  }

  #ended(error: MqttClientError): void {
    const told = new ClientError(error.message)
    switch (error.kind) {
      case "refused":
        this.#answered = true
        break
      case "disconnected":
        this.#answered = true
        // It came before our own DISCONNECT did: what was sent at QoS 0 may be the reason.
        if (this.#failure === ended) this.#failure = told
        break
      case "malformed":
        // A broker that asks for AUTH is one.
        if (this.#answered || (error.cause instanceof PacketError && error.cause.rule === "MQTT-4.12.0-6")) break
        this.#refuse(new NoAnswer(error.message.replace(/^the broker /, "")))
        return
      default:
    }
    this.#refuse(told)
  }
}

/** Somebody else may be in the broker's place. */
function withoutProof(error: unknown): Error {
  return error instanceof ScramError
    ? new ClientError(`the login by SCRAM failed: ${error.message}`)
    : new Error("the login by SCRAM failed", { cause: error })
}

const ended = new ClientError("ended by us")
