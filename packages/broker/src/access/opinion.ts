// Ways to log in, each of which allows a login, refuses it, or has no opinion; they are asked in an order.

import type { Decision, Identity, LoginAttempt } from "../ports/access.ts"

export type MeansName = "certificate" | "jwt" | "password" | "http"

/** Unless another order is configured: what costs least comes first. */
export const usualOrder: readonly MeansName[] = ["certificate", "jwt", "password", "http"]

/**
 * Name of the Authentication Method (MQTT 5.0 section 4.12) for a token: its Authentication Data is the token, and one step is
 * all of it.
 */
export const tokenMethod = "JWT"

/** A way to log in that takes its time. */
export interface FurtherMeans {
  /** Calls `answer` exactly once, now or later; undefined: no opinion. */
  ask(attempt: LoginAttempt, answer: (opinion: Decision | undefined) => void): void
  /** Says why a login of this kind, from before, is none any more. */
  lost(identity: Identity): string | undefined
  /** What it does by itself begins: nobody is asked before that. */
  begin(): void
  /** It is asked no more: what it does by itself ends. */
  end(): void
}

/** What became of logins, by means and result. */
export type LoginCounts = Readonly<Record<string, number>>

export class LoginCounters {
  readonly #counts: Record<string, number> = {}

  /** A refusal that says nothing of the client, as whoever would know did not answer, is `failed`. */
  count(means: MeansName | "anonymous" | "nobody", result: "allowed" | "denied" | "failed"): void {
    const name = `${means} ${result}`
    this.#counts[name] = (this.#counts[name] ?? 0) + 1
  }

  get all(): LoginCounts {
    return this.#counts
  }
}
