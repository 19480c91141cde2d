// Bridges on Node.js, and on what has its modules: connections to other brokers, which are tried again for as long as the broker runs.

import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { usesMlDsa } from "@puremq/tls13/x509"
import { KeepSession } from "../bridge/keep-session.ts"
import { type LaneMemory, newLaneMemory } from "../bridge/lane-memory.ts"
import { type Direction, Splice, type SpliceEvent } from "../bridge/splice.ts"
import { type BridgeTopic, TopicMap } from "../bridge/topics.ts"
import { schemesToAdd } from "../config/certificate.ts"
import type { ByteLink } from "../embed/byte-link.ts"
import { Boundary, type OnFault } from "../listen/boundary.ts"
import { providerWith } from "../listen/tls-choices.ts"
import { loadTls } from "../listen/tls-server.ts"
import type { BridgeView } from "../ports/bridges.ts"
import type { BridgeEvent } from "../ports/events.ts"
import { addressText, isSecure, openerOf, type Place, serverNameOf } from "./dial.ts"

export interface BridgeTls {
  /** PEM of the authorities that the other broker's certificate may come from. Default: those of this machine. */
  readonly ca?: string | undefined
  /** PEM. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that is asked for, and that the certificate must have. Default: the host. */
  readonly serverName?: string | undefined
  /** Default: mqtt, or http/1.1 under WebSocket. */
  readonly alpn?: readonly string[] | undefined
  /** Instead of certificates: a pre-shared key of 16 bytes or more. */
  readonly psk?: { readonly identity: string; readonly key: Uint8Array } | undefined
}

export interface NodeBridgeOptions {
  readonly name: string
  readonly place: Place
  readonly tls: BridgeTls
  readonly clientId: string
  readonly version: 4 | 5
  readonly username: string | undefined
  readonly password: string | undefined
  /** Seconds. */
  readonly keepAlive: number
  readonly sessionExpiry: number
  readonly maximumInflight: number
  readonly attempts: number
  readonly topics: readonly BridgeTopic[]
  /** Milliseconds between two attempts, at first and at most. */
  readonly retryMinimum: number
  readonly retryMaximum: number
}

/** What a bridge needs of the broker that it belongs to. */
export interface BridgeNeeds {
  readonly now: () => number
  /** From 0 to below 1. */
  readonly random: () => number
  /** Does it soon, and not within this call. */
  readonly soon: (work: () => void) => void
  readonly openLocal: (changed: () => void) => ByteLink | undefined
  readonly staleFilters: (clientId: string, wanted: ReadonlySet<string>) => readonly string[]
  /** The name of this broker, on messages that have gone over it. */
  readonly origin: string
  /** Bytes of the largest packet that a client may send to it. */
  readonly maximumPacketSize: () => number
  readonly onEvent: (event: BridgeEvent) => void
  readonly onFault: OnFault
}

/** Milliseconds for TCP, TLS and WebSocket. */
const connectTime = 30_000
/** Errors of connections that neither side has ended. */
const ofNetwork: ReadonlySet<string> = new Set([
  "ETIMEDOUT",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
])
/** Milliseconds for the last bytes. */
const lingerTime = 1000
/** Milliseconds between two events of a kind, at least. */
const tellEvery = 1000
/** Milliseconds after which the session here is visited while the other broker is away. */
const visitEvery = 3_600_000

export class NodeBridge {
  readonly #options: NodeBridgeOptions
  readonly #needs: BridgeNeeds
  readonly #localId: string
  readonly #to: string
  #secure: ((socket: Socket) => Duplex) | undefined
  #current: Attempt | undefined
  #retry: NodeJS.Timeout | undefined
  #visits: NodeJS.Timeout | undefined
  /** Attempts that have failed, one after the other. */
  #failures = 0
  #since: number | undefined
  #lost: { readonly count: number; readonly last: BridgeView["lastFailure"] } = { count: 0, last: undefined }
  readonly #memory: Readonly<Record<Direction, LaneMemory>> = { out: newLaneMemory(), in: newLaneMemory() }
  #stopped = false
  readonly #warnings: Told = { at: Number.NEGATIVE_INFINITY, untold: 0 }
  readonly #drops: Told = { at: Number.NEGATIVE_INFINITY, untold: 0 }

  /** @param localId the Client Identifier of its session here */
  constructor(options: NodeBridgeOptions, localId: string, needs: BridgeNeeds) {
    this.#options = options
    this.#needs = needs
    this.#localId = localId
    this.#to = addressText(options.place)
  }

  get view(): Omit<BridgeView, "address" | "waiting"> {
    const { out, in: come } = this.#memory
    return {
      name: this.#options.name,
      connected: this.#current?.state === "up",
      since: this.#since,
      handedOn: { out: out.handedOn, in: come.handedOn },
      dropped: { out: Object.fromEntries(out.dropped), in: Object.fromEntries(come.dropped) },
      failures: this.#lost.count,
      lastFailure: this.#lost.last,
    }
  }

  /**
   * Has its session here, to which what clients then publish is sent; resolves also when that cannot be had, which is told. Rejects
   * when its certificate or key cannot be used.
   */
  async open(): Promise<void> {
    const { place, tls } = this.#options
    if (isSecure(place)) this.#secure = await secureOf(place, tls)
    await new Promise<void>((resolve) => this.#visit(resolve))
  }

  /** What comes from here on is told as events. */
  start(): void {
    this.#visits = setInterval(() => this.#visit(), visitEvery).unref()
    this.#connect()
  }

  /** Takes its leave of the other broker. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
    clearInterval(this.#visits)
    this.#current?.stop()
  }

  /** Has the session here, whatever becomes of the connection. */
  #visit(then: () => void = () => undefined): void {
    if (this.#stopped || this.#current !== undefined) {
      then()
      return
    }
    const { now, openLocal, staleFilters, soon } = this.#needs
    let due = false
    const turn = () => {
      due = false
      boundary.run(() => visit?.turn(now()), undefined)
    }
    const boundary = this.#boundary(then)
    let visit: KeepSession | undefined
    boundary.run(() => {
      visit = new KeepSession(
        {
          localId: this.#localId,
          map: new TopicMap(this.#options.topics, "out"),
          openLocal: () =>
            openLocal(() => {
              if (!due) soon(turn)
              due = true
            }),
          staleFilters: (wanted) => staleFilters(this.#localId, wanted),
          onNew: () => {
            this.#memory.out.free = new Set()
            this.#memory.in.free = undefined
          },
          onDone: (problem) => {
            if (problem !== undefined) this.#warn(`its session here cannot be opened: ${problem}`)
            then()
          },
        },
        now(),
      )
    }, undefined)
  }

  #connect(): void {
    if (this.#stopped) return
    const { now } = this.#needs
    const began = now()
    const attempt = new Attempt(
      { ...this.#options, memory: this.#memory },
      this.#localId,
      this.#needs,
      this.#secure,
      (event) => {
        if (event.event === "up") {
          const { sessionPresent } = event
          this.#since = now()
          this.#needs.onEvent({ event: "bridge connected", bridge: this.#options.name, to: this.#to, sessionPresent })
        } else if (event.event === "warning") this.#warn(event.text)
        else if (event.event === "dropped") this.#dropped(event)
        else if (this.#current === attempt) this.#ended(event.reason, now() - began)
      },
    )
    this.#current = attempt
  }

  /** @param lasted milliseconds */
  #ended(reason: string, lasted: number): void {
    this.#current = undefined
    if (this.#stopped) return
    const { name, retryMinimum, retryMaximum } = this.#options
    const { onEvent, random, now } = this.#needs
    this.#lost = { count: this.#lost.count + 1, last: { at: now(), reason } }
    // One that ends soon after it came is a failure, too.
    this.#failures = lasted > retryMaximum ? 0 : this.#failures + 1
    const longest = Math.min(retryMaximum, retryMinimum * 2 ** Math.min(30, this.#failures - 1))
    // Half of it is chance: many bridges of one broker do not come back all at once.
    const delay = Math.max(retryMinimum, longest * (0.5 + random() / 2))
    onEvent({ event: "bridge lost", bridge: name, to: this.#to, reason, again: Math.round(delay / 100) / 10 })
    this.#retry = setTimeout(() => this.#boundary(() => undefined).run(() => this.#connect(), undefined), delay).unref()
  }

  #warn(reason: string): void {
    const more = this.#more(this.#warnings)
    if (more === "untold") return
    const { name: bridge } = this.#options
    this.#needs.onEvent({ event: "bridge warning", bridge, to: this.#to, reason, more })
  }

  #dropped({ direction, topic, reason }: Extract<SpliceEvent, { event: "dropped" }>): void {
    const more = this.#more(this.#drops)
    if (more === "untold") return
    const { name: bridge } = this.#options
    this.#needs.onEvent({ event: "bridge dropped", bridge, to: this.#to, direction, topic, reason, more })
  }

  /** Each message may be one: so many are told, and the others with their number. */
  #more(told: Told): string | undefined {
    const now = this.#needs.now()
    if (now - told.at < tellEvery) {
      told.untold++
      return "untold"
    }
    const { untold } = told
    told.at = now
    told.untold = 0
    return untold === 0 ? undefined : `${untold} more that were not told`
  }

  #boundary(end: () => void): Boundary {
    return new Boundary(this.#needs.onFault, `bridge ${this.#options.name}`, end)
  }
}

/** Events of a kind. */
interface Told {
  /** When one was told last. */
  at: number
  untold: number
}

/** One connection, from TCP to its end. */
class Attempt {
  readonly #splice: Splice
  readonly #stream: Duplex
  readonly #needs: BridgeNeeds
  readonly #boundary: Boundary
  #timer: NodeJS.Timeout | undefined
  #began = false
  #turnDue = false
  /** The transport takes no more for now. */
  #full = false
  #reads = true

  constructor(
    options: NodeBridgeOptions & { readonly memory: Readonly<Record<Direction, LaneMemory>> },
    localId: string,
    needs: BridgeNeeds,
    secure: ((socket: Socket) => Duplex) | undefined,
    onEvent: (event: SpliceEvent) => void,
  ) {
    const { name, place, topics, clientId, version, keepAlive, username, password } = options
    const { sessionExpiry, maximumInflight, attempts } = options
    this.#needs = needs
    this.#boundary = new Boundary(needs.onFault, `bridge ${name}`, () => {
      this.#stream.destroy()
      this.#splice.lost("a defect of the bridge")
    })
    this.#splice = new Splice({
      topics,
      localId,
      remote: { clientId, version, keepAlive, username, password },
      sessionExpiry,
      maximumInflight,
      maximumPacketSize: needs.maximumPacketSize(),
      attempts,
      memory: options.memory,
      origin: needs.origin,
      openLocal: () => needs.openLocal(() => this.#soon()),
      staleFilters: (wanted) => needs.staleFilters(localId, wanted),
      onEvent: (event) => {
        if (event.event === "closed") this.#leave()
        onEvent(event)
      },
    })
    let failure: string | undefined
    let by: "peer" | undefined = "peer"
    const handled = <Args extends readonly unknown[]>(work: (...args: Args) => void) => this.#boundary.handler(work)
    this.#timer = setTimeout(
      handled(() => this.#give(`it does not answer in ${connectTime / 1000} s`)),
      connectTime,
    )
    this.#stream = openerOf(
      place,
      secure,
    )({
      ready: handled(() => {
        this.#began = true
        this.#splice.start(needs.now())
        this.#go()
      }),
    })
    this.#stream.on(
      "error",
      handled((error: NodeJS.ErrnoException) => {
        if (ofNetwork.has(error.code ?? "")) by = undefined
        failure ??= error.message
      }),
    )
    this.#stream.on(
      "data",
      handled((bytes: Uint8Array) => {
        this.#splice.receive(bytes, needs.now())
        this.#go()
      }),
    )
    this.#stream.on(
      "drain",
      handled(() => {
        this.#full = false
        this.#go()
      }),
    )
    this.#stream.on(
      "end",
      handled(() => this.#give(failure ?? "the other broker closed the connection", by)),
    )
    this.#stream.on(
      "close",
      handled(() => this.#give(failure ?? "the connection was closed", by)),
    )
  }

  get state(): Splice["state"] {
    return this.#splice.state
  }

  stop(): void {
    this.#boundary.run(() => {
      this.#splice.stop(this.#needs.now())
      this.#go()
    }, undefined)
  }

  #soon(): void {
    if (this.#turnDue) return
    this.#turnDue = true
    this.#needs.soon(
      this.#boundary.handler(() => {
        this.#turnDue = false
        this.#go()
      }),
    )
  }

  /** Sends what there is, reads or does not, and sets the clock. */
  #go(): void {
    const splice = this.#splice
    const now = this.#needs.now()
    splice.turn(now)
    while (this.#began && splice.waiting > 0 && !this.#full && this.#stream.writable)
      this.#full = !this.#stream.write(splice.take(now))
    if (splice.reads !== this.#reads) {
      this.#reads = splice.reads
      if (this.#reads) this.#stream.resume()
      else this.#stream.pause()
    }
    if (!this.#began) return
    clearTimeout(this.#timer)
    if (splice.state === "closed" || splice.tickAt === Number.POSITIVE_INFINITY) return
    const due = this.#boundary.handler(() => {
      splice.tick(this.#needs.now())
      this.#go()
    })
    this.#timer = setTimeout(due, Math.max(1, Math.min(2 ** 31 - 1, splice.tickAt - now))).unref()
  }

  /** @param by the other broker, or, undefined, the network or this side */
  #give(reason: string, by?: "peer"): void {
    this.#splice.lost(reason, by)
    this.#stream.destroy()
  }

  /** The splice has ended: what it has said still goes out. */
  #leave(): void {
    clearTimeout(this.#timer)
    const last = this.#splice.take(this.#needs.now())
    if (this.#began && this.#stream.writable) {
      if (last.length > 0) this.#stream.write(last)
      this.#stream.end()
      this.#stream.resume()
      setTimeout(
        this.#boundary.handler(() => this.#stream.destroy()),
        lingerTime,
      ).unref()
    } else this.#stream.destroy()
  }
}

/** Rejects when the certificate or the key cannot be used. */
async function secureOf(place: Place, tls: BridgeTls): Promise<(socket: Socket) => Duplex> {
  const { ca, cert, key, psk, serverName = serverNameOf(place.host), alpn } = tls
  const { connect, createSecureContext } = await loadTls()
  const certificates = [ca ?? "", cert ?? ""]
  const secureContext = createSecureContext({
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    provider: await providerWith("fast", schemesToAdd(certificates), certificates.some(usesMlDsa)),
  })
  const ALPNProtocols = alpn ?? [place.transport === "wss" ? "http/1.1" : "mqtt"]
  return (socket) =>
    connect({
      host: place.host,
      port: place.port,
      socket,
      secureContext,
      ALPNProtocols,
      ...(serverName !== undefined && { servername: serverName }),
      ...(psk !== undefined && { pskCallback: () => ({ identity: psk.identity, psk: psk.key }) }),
    })
}
