// What a key schedule is made of: its nodes, each with what it is computed from, and whether it is known at a step.

import type { End } from "../run/step.ts"
import type { Hash } from "./suites.ts"
import type { Place } from "./transcript.ts"

/** What all nodes have. */
export interface CommonOfNode {
  /** Unique in its schedule, such as `client_handshake_traffic_secret.key`. */
  readonly id: string
  /** As the RFC calls it. */
  readonly name: string
  /** 0: down the left side of the diagram; 1: what branches off; 2: what is made of that. */
  readonly depth: 0 | 1 | 2
  /** The step at which this end has it; undefined: it never does. */
  readonly knownAt: number | undefined
  /** Of a connection that was brought: this end may have it all the same, and nothing tells. */
  readonly untold: boolean
  /** Computed again here or, where an input is missing, as it was told. */
  readonly value: Uint8Array | undefined
  /** What the stack says that it is, where it tells. */
  readonly told: Uint8Array | undefined
  readonly section: string
  /** What it is good for, in a sentence. */
  readonly about: string
}

/** What comes from outside of the schedule. */
export interface InputNode extends CommonOfNode {
  readonly kind: "input"
}

/** HKDF-Extract(salt, IKM). */
export interface ExtractNode extends CommonOfNode {
  readonly kind: "extract"
  /** Ids of nodes. */
  readonly salt: string
  readonly ikm: string
  readonly saltValue: Uint8Array | undefined
  readonly ikmValue: Uint8Array | undefined
}

/** HKDF-Expand-Label(Secret, Label, Context, Length), and Derive-Secret, which is one with a transcript hash. */
export interface ExpandNode extends CommonOfNode {
  readonly kind: "expand"
  /** The id of the node that it is derived from; of a resumption PSK, in the schedule of an earlier connection. */
  readonly parent: string
  readonly parentConnection: number
  /** Without its "tls13 ". */
  readonly label: string
  /** In words: "" or the messages that are hashed. */
  readonly contextText: string
  /** The messages, when it is a transcript hash of any. */
  readonly place: Place | undefined
  readonly secretValue: Uint8Array | undefined
  readonly context: Uint8Array | undefined
  /** Bytes. */
  readonly length: number
  /** The encoded HkdfLabel: what HKDF-Expand is given as info. */
  readonly hkdfLabel: Uint8Array | undefined
}

export type ScheduleNode = InputNode | ExtractNode | ExpandNode

export interface Schedule {
  readonly connection: number
  readonly end: End
  readonly hash: Hash
  readonly suite: string
  /** What was brought has secrets that come of the key exchange, and not the exchange's own: handshake_secret cannot be computed again. */
  readonly lacksExchange: boolean
  /** In the order of the RFC's diagram. */
  readonly nodes: readonly ScheduleNode[]
}

/** Whether its value was computed, and not only told. */
export function isComputed(node: ScheduleNode): boolean {
  if (node.kind === "extract") return node.saltValue !== undefined && node.ikmValue !== undefined
  return node.kind === "expand" && node.secretValue !== undefined && node.context !== undefined
}

export type NodeState = "known" | "not yet" | "never" | "not told"

export function stateAt({ knownAt, untold }: ScheduleNode, step: number): NodeState {
  if (knownAt === undefined) return untold ? "not told" : "never"
  return knownAt <= step ? "known" : "not yet"
}

/** Of a node that is not told: whether something is told that is made of it, so that this end has had it, too. */
export function isNeeded(schedule: Schedule, { id }: ScheduleNode): boolean {
  const isMadeOfIt = (node: ScheduleNode) =>
    node.kind === "extract" ? node.salt === id || node.ikm === id : node.kind === "expand" && node.parent === id
  return schedule.nodes.some((node) => isMadeOfIt(node) && (node.knownAt !== undefined || isNeeded(schedule, node)))
}

export function nodeOf({ nodes }: Schedule, id: string): ScheduleNode | undefined {
  return nodes.find((node) => node.id === id)
}
