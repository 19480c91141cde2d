// A route of the admin API as a value: the router and the OpenAPI document are both made of it.

import type { Scope } from "./model.ts"
import type { AdminParts, Asking } from "./parts.ts"
import { checked, type Schema } from "./schemas.ts"

export const base = "/api/v1"

/** What a handler is given beside its input. */
export interface Context {
  readonly parts: AdminParts
  readonly asking: Asking
}

export interface Route {
  readonly method: "GET" | "POST" | "DELETE"
  readonly path: string
  /** Undefined: no token is asked for. */
  readonly scope: Scope | undefined
  /** Its name in the document, and in the audit line. */
  readonly operation: string
  /** One sentence. */
  readonly about: string
  /** Where the input is. */
  readonly from: "query" | "body"
  readonly input: Schema<unknown>
  /** Undefined: server-sent events. */
  readonly answer: Schema<unknown> | undefined
  /** Statuses of problems beside those that every route has. */
  readonly problems: readonly number[]
  /** Looks at the input. Throws Refused. */
  readonly prepare: (input: unknown) => Prepared
}

/** A request whose input is what it has to be. */
export interface Prepared {
  /** What it is done to, for the audit line; undefined: the broker as a whole. */
  readonly target: string | undefined
  /** Answers, or throws Refused. */
  readonly run: (context: Context) => Answer | Promise<Answer>
}

export type Answer =
  | { readonly body: unknown; readonly status?: number }
  | { readonly events: ReadableStream<Uint8Array> }

interface Given<Input> extends Pick<Route, "method" | "path" | "operation" | "about" | "answer"> {
  readonly input: Schema<Input>
  readonly problems?: readonly number[]
  readonly run: (input: Input, context: Context) => Answer | Promise<Answer>
  readonly target?: (input: Input) => string | undefined
}

/** What is only looked at. */
export function reading<Input>(given: Omit<Given<Input>, "method" | "target">): Route {
  return made({ method: "GET", ...given }, "read", "query")
}

/** What changes something. */
export function operating<Input>(given: Given<Input>): Route {
  return made(given, "operate", given.method === "DELETE" ? "query" : "body")
}

function made<Input>(given: Given<Input>, scope: Scope, from: Route["from"]): Route {
  const { run, target, problems = [], path, ...others } = given
  const prepare = (raw: unknown): Prepared => {
    const input = checked(given.input, raw)
    return { target: target?.(input), run: (context) => run(input, context) }
  }
  return { ...others, path: `${base}${path}`, scope, from, problems, prepare }
}
