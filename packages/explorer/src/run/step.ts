// A run of a scenario as plain data: the list of all that happened, in order, at both ends and between them. The page shows the first
// n of it; to go back is to show fewer.

import type { HandshakeInfo, TraceEvent } from "@puremq/tls13"
import type { Noticed } from "../recording/noticed.ts"
import type { Field } from "../recording/spans.ts"
import type { StateName } from "./names.ts"

export type End = "client" | "server"
export type Direction = "sent" | "received"

/** What somebody on the way does to a record. */
export type Fate = "carried" | "changed" | "dropped" | "cut" | "injected" | "repeated" | "delayed"

/** A record between the ends. */
export interface WireRecord {
  /** Counted from 0, by the order in which records were sent or injected. */
  readonly id: number
  readonly from: End
  /** As sent; empty when it was injected. */
  readonly sent: Uint8Array
  /** As it arrives; empty when it does not. */
  readonly arrives: Uint8Array
  readonly fate: Fate
}

/** Why an end gave up, and where in the sources that was decided. */
export interface Failure {
  readonly kind: string
  readonly message: string
  readonly alert: string | undefined
  readonly noticed: Noticed | undefined
}

export type Happening =
  /** The application, or the person at the page, does something. */
  | { readonly type: "action"; readonly text: string }
  /** A record leaves its sender, or comes out of nowhere. */
  | { readonly type: "wire"; readonly record: WireRecord }
  | {
      readonly type: "record"
      readonly direction: Direction
      readonly contentType: number
      readonly innerType: number
      readonly record: Uint8Array
      readonly content: Uint8Array
      readonly protected: boolean
      /** That of the record between the ends; undefined for a sent one until it leaves. */
      readonly wire: number | undefined
    }
  | {
      readonly type: "message"
      readonly direction: Direction
      readonly name: string
      readonly message: Uint8Array
      /** As the codec reads it. */
      readonly fields: readonly Field[]
      /** By which lines it was written; of a sent message only. */
      readonly written: readonly Field[]
      /** In words, a line each. */
      readonly words: readonly string[]
    }
  /** ClientHelloInner: sent encrypted in the ClientHello that is told of next, or found in the one before (RFC 9849). */
  | {
      readonly type: "inner-hello"
      readonly direction: Direction
      readonly message: Uint8Array
      readonly fields: readonly Field[]
      readonly written: readonly Field[]
    }
  | Extract<TraceEvent, { readonly type: "alert" | "secret" | "keys" | "transcript" }>
  /** A key exchange is complete: what only the two ends know. */
  | { readonly type: "exchange"; readonly group: string; readonly peersShare: Uint8Array; readonly secret: Uint8Array }
  | {
      readonly type: "state"
      readonly from: StateName
      readonly message: string | undefined
      readonly to: StateName
    }
  | { readonly type: "data"; readonly data: Uint8Array; readonly early: boolean }
  | { readonly type: "connected"; readonly info: HandshakeInfo }
  | { readonly type: "event"; readonly text: string }
  | { readonly type: "closed" }
  | { readonly type: "failed"; readonly failure: Failure }

export interface Step {
  readonly index: number
  /** Which of the connections of a scenario: 0, or 1 for the second when there are two (a resumption, a replay). */
  readonly connection: number
  /** Whose step it is; undefined: it happens between the ends. */
  readonly end: End | undefined
  readonly happening: Happening
  /** Half round trips since the connection began: 0 is the client's first flight. */
  readonly flight: number
}

/** Time that a call of an end took, in microseconds: not part of what is equal from run to run. */
export interface Cost {
  readonly step: number
  readonly end: End
  readonly micros: number
}

export interface Timeline {
  readonly steps: readonly Step[]
  readonly costs: readonly Cost[]
  /** Of a saved trace: whose it is. The steps of the other end are what this one's show of it. */
  readonly witness?: End
  /** Only bytes and some secrets were brought: the steps of both ends are what these show of them. */
  readonly seenFromOutside?: true
}
