// What the command and the processes that it starts tell each other.

import type { ClientCpu, LoadMaker } from "@puremq/tls13/bench"
import type { RecorderData } from "@puremq/tls13/measure"
import type { ProtocolVersion } from "../../packet/packets.ts"
import type { Place } from "../../platform/dial.ts"
import type { Scenario } from "./plan.ts"
import type { Sent } from "./publisher.ts"
import type { TimelineData } from "./timeline.ts"

/** What `puremq bench` is called with that another one has started; nobody else may. */
export const childFlag = "--child"

/** The first message to a process: what it is. */
export type Task = ClientTask | BrokerTask

export interface ClientTask {
  readonly role: "client"
  /** The command line. */
  readonly args: readonly string[]
  /** The argument that says where the broker is. */
  readonly word: string | undefined
  /** Where it is, when it is one of ours. */
  readonly own: OwnPlace | undefined
  /** Of the host. */
  readonly address: string
  readonly scenario: Scenario
  readonly worker: number
  /** Local addresses, in turn. */
  readonly sources: readonly string[]
  /** Tells the run's messages from those of others. */
  readonly run: number
  /** Whether each message that comes is told. */
  readonly samples: boolean
}

export interface OwnPlace {
  readonly place: Place
  /** PEM of its authority. */
  readonly trusted: string
}

export interface BrokerTask {
  readonly role: "broker"
  readonly transport: Place["transport"]
  readonly cert: string
  readonly key: string
}

/** `start` comes when all processes are ready, `finish` when all publishers are done, `end` when all have told what they counted. */
export type Order =
  | { readonly order: "start"; readonly t0: number }
  | { readonly order: "stop" }
  | {
      readonly order: "finish"
      /** Of each stream: messages, and those of them that the broker refused. */
      readonly sent: Float64Array
      readonly refused: Float64Array
    }
  | { readonly order: "end" }

/** What one connection showed. */
export interface Look {
  readonly version: ProtocolVersion
  readonly receiveMaximum: number
  readonly agreed: Readonly<Record<string, string>>
  readonly authenticated: { readonly verified: boolean; readonly words: string }
}

/** Reasons with their counts. */
export type Failures = readonly (readonly [reason: string, count: number])[]

/** What a process has seen of messages. */
export interface MessageFigures {
  readonly warmUp: number
  readonly completed: number
  readonly notBegun: number
  readonly tallies: {
    readonly delivered: number
    readonly lost: number
    readonly doubled: number
    readonly outOfOrder: number
    readonly foreign: number
  }
  readonly failures: Failures
  readonly latency: RecorderData
  readonly parts: Readonly<Record<string, RecorderData>>
  readonly timeline: TimelineData
  /** Milliseconds since the load began; 0: nothing came. */
  readonly lastAt: number
}

export type Told =
  | { readonly told: "listening"; readonly port: number }
  | { readonly told: "ready"; readonly look: Look | undefined }
  | { readonly told: "progress"; readonly completed: number; readonly failed: number }
  | { readonly told: "arrivals"; readonly rows: Float64Array }
  | { readonly told: "sent"; readonly sent: readonly Sent[] }
  | { readonly told: "messages"; readonly figures: MessageFigures; readonly cpu: ClientCpu }
  | { readonly told: "ended" }
  | { readonly told: "samples"; readonly rows: Float64Array; readonly reasons: readonly string[] }
  | { readonly told: "connections"; readonly sums: LoadMaker["sums"]; readonly cpu: ClientCpu }
