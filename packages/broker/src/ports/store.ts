// Where what outlives connections is kept. The hub makes Changes, ends a turn, and lets out what depends on it when it is
// committed.

import type { Change } from "../packet/change.ts"
import type { Pause } from "./pause.ts"

/**
 * Nothing of the turn is kept: the disk is full, say. Turns that were handed over after it and are not answered fail with it.
 * The hub hands over the same turns again, in their order.
 */
export interface StoreFailed {
  /** One line: what failed, where, what to do. */
  readonly failed: string
}

/** Of a store on a disk: what somebody who watches it wants to know. */
export interface StoreNumbers {
  /** Of its files, with a snapshot that is being written. */
  readonly bytes: number
  /** Bytes that the disk has left, ten seconds old or less; undefined: nobody can tell. */
  readonly diskFree: number | undefined
  /** Journals were made a snapshot of so often since it was opened, and so often that went wrong. */
  readonly folds: number
  readonly foldsFailed: number
}

export type Committed = "committed" | StoreFailed

/** Failed: what was committed cannot be read, and the broker does not start. */
export type Restored = "restored" | StoreFailed

export interface Store {
  /** What is committed is there when the process has ended. */
  readonly lasting: boolean
  /**
   * Called once, before anything else: visits Changes that make what was committed, in an order in which they can be applied,
   * as few as may be: messages first, then who is to get them. Byte arrays in them are the visitor's.
   */
  restore(visit: (change: Change) => void): Restored | Pause<Restored>
  /**
   * Keeps all Changes of a turn or none. Turns come in their order; the next may come before the one before it is answered.
   * The arrays in it are not changed afterwards. Never throws.
   */
  commit(turn: readonly Change[]): Committed | Pause<Committed>
  /**
   * Why it is about to fail for want of room: messages are best refused while it says so, and what ends them still goes in.
   * Undefined when there is enough. @param more bytes that are on their way to it
   */
  full(more?: number): string | undefined
  /**
   * Whether what follows of what was taken, and adds so many bytes, leaves room to end all of it; absent: any does. It is true a
   * while longer than it is not `full`.
   */
  mayGrow?(bytes: number): boolean
  /** Bytes of a message, at most, that it could keep beside others; undefined: any. */
  readonly largest?: number | undefined
  /** Answers the commits that wait before it is done. */
  close(): void | Pause<void>
}
