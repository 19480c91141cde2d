// Single promises, each tried on a cluster of its own.

import type { NatsServer } from "../servers/nats-server.ts"
import type { Node } from "../servers/node.ts"
import { away } from "./away.ts"
import { elsewhere } from "./elsewhere.ts"
import { together } from "./together.ts"

export interface RowOptions {
  readonly nodes: readonly Node[]
  readonly servers: readonly NatsServer[]
  readonly seed: number
  /** Milliseconds without any server. */
  readonly away: number
}

export interface RowOutcome {
  /** One line each. */
  readonly wrong: readonly string[]
  /** What was seen. */
  readonly seen: string
}

export interface Row {
  readonly title: string
  run(options: RowOptions): Promise<RowOutcome>
}

export const rows = { together, elsewhere, away } as const satisfies Record<string, Row>
export type RowName = keyof typeof rows
export const rowNames: readonly RowName[] = Object.keys(rows) as RowName[]
