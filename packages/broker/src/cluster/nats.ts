// The streams of a cluster on NATS: nats-server 2.15 or newer, with JetStream. What runs above it knows nothing of that.

import {
  type ConnectionOptions,
  credsAuthenticator,
  type Msg,
  type NatsConnection,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/nats-core"
import { Pause } from "../ports/pause.ts"
import { Appends, largestBatch } from "./nats/appends.ts"
import { Follower } from "./nats/follower.ts"
import {
  type Layout,
  makeStreams,
  prefixOf,
  retained,
  retainedStreamOf,
  streamOf,
  versionProblem,
} from "./nats/layout.ts"
import { answered, Link } from "./nats/link.ts"
import { plainMessage, roomOfHeaders, subjectProblem } from "./nats/messages.ts"
import { Reads } from "./nats/reads.ts"
import { Room } from "./nats/room.ts"
import { Tells } from "./nats/tells.ts"
import type {
  Append,
  Appended,
  Failed,
  Fetched,
  Following,
  Headers,
  StreamMessage,
  StreamSequence,
  Streams,
} from "./streams.ts"

export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** A seed: `SU...`. */
  | { readonly nkey: string }
  /** Contents of a `.creds` file. */
  | { readonly credentials: string }

export interface StreamsOptions {
  /** Connects over the runtime's transport; where the options have `tls`, over TLS only. */
  readonly connect: (options: ConnectionOptions) => Promise<NatsConnection>
  /**
   * `nats://host:4222`; more than one, so that the end of one does not matter at the start. With one that begins with `tls://` all
   * connections are TLS, or are none: also those to servers that are told of by others.
   */
  readonly servers: readonly string[]
  /** Letters, digits, `-` and `_`, 64 at most. It begins the names of streams and subjects, so that several clusters may share servers. */
  readonly cluster?: string | undefined
  /** 1 to 64; it cannot change once the streams are there. */
  readonly partitions?: number | undefined
  /** Servers that keep each stream: 1, 3 or 5. */
  readonly replicas?: number | undefined
  readonly retention?: Retention | undefined
  readonly credentials?: Credentials | undefined
  /** PEM. With these all connections are TLS, too. Undefined, without `tls://`: as the servers want it, with the machine's authorities. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
  /** What does not belong to an answer, a line each. */
  readonly trouble?: ((line: string) => void) | undefined
  /** Milliseconds for the streams to be made: servers that have just begun choose a leader first. 20,000 by default. */
  readonly patience?: number | undefined
}

export interface Retention {
  /** Seconds that a message stays which says nothing of its own. Undefined: for ever. */
  readonly age?: number | undefined
  /** Bytes of a partition on each of its servers above which it is `full`. Undefined: what the servers have. */
  readonly bytes?: number | undefined
}

/** Milliseconds. */
const [connectTime, appendTime, mindTime] = [5000, 5000, 500]

/** Connects, and makes or checks the streams. Throws one line: what, where, what to do. */
export async function openStreams(options: StreamsOptions): Promise<Streams> {
  const layout = layoutOf(options)
  const nats = await connect(options, layout.cluster)
  const trouble = options.trouble ?? (() => {})
  const link = new Link(nats, trouble)
  const at = `NATS at ${options.servers.join(", ")}`
  const problem = versionProblem(nats.info?.version ?? "0")
  try {
    if (problem !== undefined) throw new Error(problem)
    await makeStreams(link, layout, options.patience ?? 20_000)
  } catch (error) {
    await link.close()
    throw new Error(`${at}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return new NatsStreams(link, layout, options.retention ?? {})
}

function layoutOf({ cluster = "puremq", partitions = 4, replicas = 1 }: StreamsOptions): Layout {
  if (!/^[\w-]{1,64}$/.test(cluster)) {
    throw new Error(`The cluster's name is "${cluster}": 1 to 64 letters, digits, "-" and "_" are wanted`)
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 64) {
    throw new Error(`The cluster has ${partitions} partitions: 1 to 64 are wanted`)
  }
  if (![1, 3, 5].includes(replicas)) throw new Error(`The cluster has ${replicas} replicas: 1, 3 or 5 are wanted`)
  return { cluster, partitions, replicas }
}

async function connect(options: StreamsOptions, name: string): Promise<NatsConnection> {
  const { credentials, servers } = options
  // A server that is reached in plain text says itself whether it wants TLS: without this whoever stands between could say no.
  const tls = options.tls ?? (servers.some((server) => server.startsWith("tls://")) ? {} : undefined)
  try {
    return await options.connect({
      servers: [...servers],
      name: `puremq ${name}`,
      noEcho: true,
      noAsyncTraces: true,
      timeout: connectTime,
      // A server whose host is gone says nothing: it is left after 6 to 9 seconds.
      pingInterval: 3000,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 100,
      reconnectJitterTLS: 250,
      // Wrong credentials may be those of a server that is being set up anew.
      ignoreAuthErrorAbort: true,
      ...(credentials === undefined ? {} : { authenticator: authenticatorOf(credentials) }),
      ...(tls === undefined ? {} : { tls }),
    })
  } catch (error) {
    const line = error instanceof Error ? error.message : String(error)
    const isLate = error instanceof Error && error.name === "TimeoutError"
    const words = isLate ? `no answer within ${connectTime / 1000} s` : line || "no answer"
    const hint = line.startsWith("TLS: ")
      ? `What is trusted, and shown, is said by "ca", "cert" and "key" of "cluster"`
      : `Is nats-server running there, with "jetstream" on, and are address and credentials right?`
    throw new Error(`NATS at ${servers.join(", ")} cannot be used: ${words}. ${hint}`)
  }
}

function authenticatorOf(credentials: Credentials) {
  const bytes = (text: string) => new TextEncoder().encode(text)
  if ("user" in credentials) return usernamePasswordAuthenticator(credentials.user, credentials.password)
  if ("token" in credentials) return tokenAuthenticator(credentials.token)
  if ("nkey" in credentials) return nkeyAuthenticator(bytes(credentials.nkey))
  return credsAuthenticator(bytes(credentials.credentials))
}

interface Partition {
  readonly appends: Appends
  readonly reads: Reads
}

class NatsStreams implements Streams {
  readonly partitions: number
  readonly batch: number = largestBatch
  onReachable: (reachable: boolean) => void = () => {}
  readonly #link: Link
  readonly #layout: Layout
  readonly #parts: readonly Partition[]
  readonly #room: Room | undefined
  readonly #tells: Tells
  readonly #followers: Follower[] = []
  #largest = 2 ** 20 - roomOfHeaders
  readonly #timer: ReturnType<typeof setInterval>

  constructor(link: Link, layout: Layout, { age, bytes }: Retention) {
    this.#link = link
    this.#layout = layout
    this.partitions = layout.partitions
    const names = Array.from({ length: layout.partitions }, (_, partition) => streamOf(layout, partition))
    this.#room = bytes === undefined ? undefined : new Room(link, names, bytes)
    this.#parts = names.map((stream, partition) => {
      const prefix = prefixOf(layout, partition)
      return {
        appends: new Appends(link, { stream, prefix, largest: () => this.largest, age, timeout: appendTime }),
        reads: new Reads(link, stream, prefix, () => this.largest + roomOfHeaders),
      }
    })
    this.#tells = new Tells(link, `${layout.cluster}.`)
    this.#timer = setInterval(() => this.#mind(false), mindTime)
    link.onReachable = (reachable) => {
      if (reachable) this.#mind(true)
      this.onReachable(reachable)
    }
  }

  /** Somebody may change `max_payload` while the servers run. Undefined: no connection, and what was said last counts. */
  get largest(): number {
    const most = this.#link.nats.info?.max_payload
    if (most !== undefined) this.#largest = Math.max(1, most - roomOfHeaders)
    return this.#largest
  }

  get reachable(): boolean {
    return this.#link.reachable
  }

  get full(): string | undefined {
    return this.#room?.full
  }

  append(partition: number, batch: readonly Append[]): Pause<Appended> {
    return this.#part(partition).appends.append(batch)
  }

  last(partition: number, subject: string): Pause<StreamMessage | undefined | Failed> {
    return this.#read(partition, "The last message", (reads) => reads.last(subject))
  }

  all(partition: number, subject: string): Pause<readonly StreamMessage[] | Failed> {
    return this.#read(partition, "The messages of a subject", (reads) => reads.all(subject))
  }

  at(partition: number, sequence: StreamSequence): Pause<StreamMessage | undefined | Failed> {
    return this.#read(partition, "A message", (reads) => reads.at(sequence))
  }

  fetch(partition: number, subjects: readonly string[], after: StreamSequence, most: number): Pause<Fetched | Failed> {
    return this.#read(partition, "Messages", (reads) => reads.fetch(subjects, after, most))
  }

  follow(partition: number, arrived: (message: StreamMessage) => void): Following {
    const stream = streamOf(this.#layout, partition)
    const prefix = prefixOf(this.#layout, partition)
    return this.#follow({ stream, prefix, after: undefined, arrived })
  }

  followRetained(arrived: (message: StreamMessage | undefined) => void): void {
    let [through, position, complete] = [Number.POSITIVE_INFINITY, 0, false]
    const moved = (to: StreamSequence) => {
      position = to
      if (complete || position < through) return
      complete = true
      arrived(undefined)
    }
    // Marks, too: they say how far it has come.
    const taken = (message: StreamMessage) => {
      const { subject } = message
      if (subject.startsWith(retained)) arrived({ ...message, subject: subject.slice(retained.length) })
    }
    const [stream, prefix] = [retainedStreamOf(this.#layout), `${this.#layout.cluster}.`]
    const following = this.#follow({ stream, prefix, after: 0, arrived: taken, moved })
    // It is said when it stands; until then it is asked again.
    const stand = () => {
      following.subjects([">"]).onAnswer((answer) => {
        if (this.#link.closed) return
        if ("failed" in answer) return stand()
        through = answer.through
        moved(position)
      })
    }
    stand()
  }

  tell(subject: string, headers: Headers, data: Uint8Array): void {
    this.#tells.tell(subject, headers, data)
  }

  listen(subject: string, told: (message: Omit<StreamMessage, "sequence">) => void): { stop(): void } {
    const prefix = `${this.#layout.cluster}.`
    const callback = (error: Error | null, message: Parameters<typeof plainMessage>[0]) => {
      if (error === null) this.#link.tell(told, plainMessage(message, prefix))
    }
    const subscription = this.#link.nats.subscribe(`${prefix}${subject}`, { callback })
    return { stop: () => subscription.unsubscribe() }
  }

  settled(): Pause<undefined | Failed> {
    return answered(this.#link, "The listeners", this.#tells.settled())
  }

  ask(subject: string, data: Uint8Array, timeout: number): Pause<Uint8Array | Failed> {
    const full = `${this.#layout.cluster}.${subject}`
    // A name in it may be one that anybody has written into the streams.
    const problem = subjectProblem(full)
    const asked =
      problem === undefined
        ? this.#link.request(full, new Uint8Array(data), timeout)
        : Promise.reject<Msg>(new Error(problem))
    return answered(
      this.#link,
      `Asking ${subject}`,
      asked.then((message) => new Uint8Array(message.data)),
    )
  }

  answer(subject: string, asked: (data: Uint8Array, answer: (data: Uint8Array) => void) => void): void {
    this.#link.nats.subscribe(`${this.#layout.cluster}.${subject}`, {
      callback: (error, message) => {
        if (error !== null) return
        const respond = (data: Uint8Array) => {
          if (this.#link.reachable && !this.#link.closed) message.respond(new Uint8Array(data))
        }
        this.#link.tell(asked, new Uint8Array(message.data), respond)
      },
    })
  }

  close(): Pause<void> {
    const pause = new Pause<void>()
    void this.#close().finally(() => pause.answer())
    return pause
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    this.#room?.close()
    await Promise.all(this.#parts.map(({ appends }) => appends.settled()))
    for (const follower of this.#followers) follower.end()
    await this.#link.close()
  }

  #mind(anew: boolean): void {
    for (const follower of this.#followers) follower.mind(anew)
  }

  #part(partition: number): Partition {
    const part = this.#parts[partition]
    if (part === undefined) throw new Error(`there is no partition ${partition} of ${this.partitions}`)
    return part
  }

  #read<Answer>(partition: number, what: string, read: (reads: Reads) => Promise<Answer>): Pause<Answer | Failed> {
    const part = this.#parts[partition]
    // A record that is damaged may say any.
    const asked = part === undefined ? Promise.reject(new Error("there is no such partition")) : read(part.reads)
    return answered(this.#link, `${what} of ${streamOf(this.#layout, partition)}`, asked)
  }

  #follow(options: Omit<ConstructorParameters<typeof Follower>[1], "largest">): Follower {
    const follower = new Follower(this.#link, { ...options, largest: () => this.largest + roomOfHeaders })
    this.#followers.push(follower)
    return follower
  }
}
