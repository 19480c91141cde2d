// Servers in processes of their own: as each does its work on a core of its own, and its memory is its alone.

import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Pems, ServerChoice, Stack } from "./contestants.ts"
import { endedWithUs } from "./ending.ts"

/** Where PureMQ keeps what outlives connections: in memory, or in files that outlive the process, or the power. */
export type StoreKind = "memory" | "process" | "power"

export type Task =
  /** Answers each megabyte with one byte, and each connection's first bytes after its end. */
  | ({ readonly kind: "sink"; readonly stack: Stack } & ServerChoice)
  | { readonly kind: "aedes"; readonly pems: Pems }
  /** @param pems none: it listens on TCP. @param directory of files; default a new one, for as long as it runs */
  | {
      readonly kind: "puremq"
      readonly store: StoreKind
      readonly pems?: Pems | undefined
      readonly directory?: string | undefined
      /** Threads for public-key operations. */
      readonly workers?: number
      /** Whose cryptography; default: that which a broker has without being told. */
      readonly provider?: "fast"
      /** It is a node, and what it keeps is with a nats-server, at this URL, in place of its store. */
      readonly cluster?: { readonly nats: string; readonly node: string } | undefined
      /** It serves metrics and its admin API, too: who may read there has this token. */
      readonly watchedBy?: string
    }
  /** Makes connections to a server, as many as go through. */
  | { readonly kind: "load"; readonly load: LoadTask }
  /** Fills a store, and says so. */
  | { readonly kind: "filler"; readonly directory: string; readonly amounts: Amounts }

/** Connections of node:tls, each with its handshake, and closed when that is done. */
export interface LoadTask {
  readonly port: number
  readonly pems: Pems
  /** The one suite that is offered; default: what OpenSSL offers. */
  readonly suite?: string
  /** The one group that is offered, as OpenSSL calls it; default X25519. */
  readonly group?: string
  /** Of full handshakes: a full one first, whose last ticket all others use. */
  readonly resumed: boolean
  /** Also CONNECT, until CONNACK. */
  readonly mqtt: boolean
  /** Milliseconds of one run, and connections that are made at once. */
  readonly slice: number
  readonly atOnce: number
}

/** What is in a store. */
export interface Amounts {
  readonly sessions: number
  readonly retained: number
  /** A multiple of the sessions. */
  readonly queued: number
}

/** Bytes after a collection: in the engine's heap, in buffers outside of it, and of the whole process. */
export interface Memory {
  readonly heap: number
  readonly buffers: number
  readonly rss: number
}

/** What a peer is asked, and what it answers. */
export interface Questions {
  memory: Memory
  /** From here on it notes for how long it is held up. */
  watch: null
  /** The longest since then, in milliseconds. */
  longest: number
  counts: Amounts
  /** Of a broker that is watched: where; else 0. */
  watched: { readonly metrics: number; readonly admin: number }
  /** Milliseconds of processor time until now, of all of the process. */
  busy: number
  /** Runs a load for its slice. */
  load: Loaded
}

export interface Loaded {
  readonly connections: number
  /** Milliseconds, by the clock and of the load's processor time. */
  readonly elapsed: number
  readonly busy: number
}

/** Milliseconds, by the clock and of processor time. */
export interface Started {
  readonly elapsed: number
  readonly busy: number
}

export interface Peer {
  readonly port: number
  readonly pid: number | undefined
  /** From the start of its process until it listened. */
  readonly started: Started
  ask<Question extends keyof Questions>(question: Question): Promise<Questions[Question]>
  stop(): void
  /** At once, as a crash does; it is gone when this is. */
  kill(): Promise<void>
}

export async function startPeer(task: Task, nodeOptions: readonly string[] = []): Promise<Peer> {
  const child: ChildProcess = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [], {
    env: { ...process.env, PUREMQ_BENCH_TASK: JSON.stringify(task) },
    execArgv: ["--expose-gc", ...nodeOptions],
  })
  const exit = once(child, "exit")
  const kill = endedWithUs(() => child.kill("SIGKILL"))
  child.once("exit", kill)
  const ended = exit.then(() => {
    throw new Error(`the process of ${task.kind} has ended`)
  })
  ended.catch(() => undefined)
  const answer = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, "message"), ended])) as [unknown]
    return message
  }
  const { port, started } = (await answer()) as { port: number; started: Started }
  return {
    port,
    pid: child.pid,
    started,
    async ask<Question extends keyof Questions>(question: Question) {
      child.send(question)
      return (await answer()) as Questions[Question]
    },
    stop: () => void child.disconnect(),
    async kill() {
      kill()
      await exit
    },
  }
}
