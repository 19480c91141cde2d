// What this broker says of itself as a node, also where it is the only one.

import type { NodeSaid, NodeView } from "../ports/nodes.ts"

/** What the broker knows of itself at a moment; packets since its start. */
export interface OwnFigures {
  readonly clients: number
  readonly sessions: number
  readonly received: number
  readonly sent: number
}

export interface OwnNodeOptions extends Pick<NodeSaid, "id" | "name" | "version" | "startedAt"> {
  readonly figures: () => OwnFigures
}

/** Milliseconds over which packets a second are counted, at least. */
const over = 3000

export class OwnNode {
  readonly #options: OwnNodeOptions
  #before: { readonly at: number; readonly received: number; readonly sent: number } | undefined
  #received = 0
  #sent = 0

  constructor(options: OwnNodeOptions) {
    this.#options = options
  }

  get id(): string {
    return this.#options.id
  }

  /** About once a second. @param now milliseconds of a clock that does not run backwards */
  tick(now: number): void {
    const before = this.#before
    if (before !== undefined && now - before.at < over) return
    const { received, sent } = this.#options.figures()
    this.#before = { at: now, received, sent }
    if (before === undefined) return
    const perSecond = (more: number) => Math.round((Math.max(0, more) * 10_000) / (now - before.at)) / 10
    this.#received = perSecond(received - before.received)
    this.#sent = perSecond(sent - before.sent)
  }

  get said(): NodeSaid {
    const { id, name, version, startedAt, figures } = this.#options
    const { clients, sessions } = figures()
    return { id, name, version, startedAt, clients, sessions, received: this.#received, sent: this.#sent }
  }

  view(now: number): NodeView {
    return { ...this.said, state: "this", heardAt: now }
  }
}
