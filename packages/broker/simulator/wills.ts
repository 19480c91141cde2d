// What MQTT promises of wills. Each will of each CONNECT is one of these, from when its CONNECT is sent.

import type { Msg } from "./model.ts"
import { Broken } from "./promises.ts"

/**
 * "waits": its client is connected. "pending": its delay runs. "must": it has to come, or has. "stopped": by a good-bye, or
 * because the session went on. "maybe": nobody can know.
 */
export type WillState = "waits" | "pending" | "must" | "good-bye" | "went on" | "maybe"

export interface WillOf {
  readonly msg: Msg
  readonly clientId: string
  /** Milliseconds. */
  readonly delay: number
  state: WillState
  /** Milliseconds: not before the first, and after the second nothing can stop it. */
  dueFrom: number
  dueTo: number
  /** The turn that its CONNECT was said in, and its state. */
  set: number
  turn: number
}

export class Wills {
  readonly #all: WillOf[] = []

  /** Its CONNECT is accepted. */
  accepted(will: WillOf, turn: number): void {
    will.state = "waits"
    will.set = turn
    will.turn = turn
    this.#all.push(will)
  }

  /** A will has come to the one who watches, for the first time. */
  came(msg: Msg, at: number): void {
    const will = this.#all.find((one) => one.msg === msg)
    if (will === undefined) return
    const who = `the will ${msg.id} of ${will.clientId}`
    if (will.state === "good-bye") throw new Broken("no will after a good-bye", `${who} came, and is given up`)
    if (will.state === "went on") throw new Broken("no will when the session goes on", `${who} came, and is given up`)
    if (will.state === "waits") throw new Broken("a will is published", `${who} came while it is connected`)
    if (at < will.dueFrom) throw new Broken("a will waits", `${who} came ${will.dueFrom - at} ms early`)
  }

  /** A client is connected: what it means for earlier wills of its own. */
  cameBack(clientId: string, clean: boolean, now: number, turn: number, told?: (will: WillOf) => void): void {
    for (const will of this.#all) {
      if (will.clientId !== clientId || will.state !== "pending") continue
      told?.(will)
      will.state = clean || now >= will.dueTo ? "must" : now < will.dueFrom ? "went on" : "maybe"
      will.turn = turn
      if (clean) will.dueFrom = Math.min(will.dueFrom, now)
    }
  }

  /** Its connection is gone. */
  wentAway(will: WillOf, goodbye: boolean, now: number, turn: number): void {
    will.state = goodbye ? "good-bye" : will.delay === 0 ? "must" : "pending"
    will.dueFrom = now + will.delay
    will.dueTo = will.dueFrom
    will.turn = turn
  }

  /** The process has ended. @param early how much earlier connections may count as lost, in milliseconds */
  crashed(
    committed: number,
    now: number,
    early: number,
    got: ReadonlyMap<number, number>,
    concerns: (will: WillOf) => boolean = () => true,
  ): void {
    for (const will of this.#all) {
      if (!concerns(will)) continue
      const said = will.turn < committed
      const { state, delay } = will
      if (will.set >= committed && !got.has(will.msg.id)) {
        // Its CONNECT was not answered.
        will.state = "maybe"
        will.set = -1
      } else if (state === "waits") {
        will.state = said ? (delay === 0 ? "must" : "pending") : "maybe"
        will.dueFrom = now - early + delay
        will.dueTo = now + delay
      } else if (state === "pending" && !said) {
        will.dueFrom = Math.min(will.dueFrom, now - early + delay)
        will.dueTo = Math.max(will.dueTo, now + delay)
      } else if ((state === "good-bye" || state === "went on") && !said) {
        will.state = "maybe"
        will.dueFrom = now - early
      } else if (state === "must" && !got.has(will.msg.id) && delay > 0) {
        will.state = "maybe"
        will.dueFrom = Math.min(will.dueFrom, now - early)
      }
    }
  }

  /** Those that are due since so many milliseconds have come, without their clients. */
  due(got: ReadonlyMap<number, number>, until: number): void {
    for (const { msg, state, clientId, dueFrom } of this.#all) {
      if ((state === "must" || state === "pending") && dueFrom < until && !got.has(msg.id))
        throw new Broken("a will is published", `the will ${msg.id} of ${clientId} waits for its client`)
    }
  }

  /** In the end. @param got what has come to the one who watches */
  settled(got: ReadonlyMap<number, number>): void {
    for (const { msg, state, clientId } of this.#all) {
      const who = `the will ${msg.id} of ${clientId}`
      if (state === "must" && !got.has(msg.id)) throw new Broken("a will is published", `${who} is lost`)
      if (state === "pending") throw new Broken("a will is published", `${who} was not published in time`)
    }
  }
}
