// What the listeners of a configuration have of their own: their names, who gets in through each, and what may be there at a time;
// and what a reload makes of it.

import type { ListenerLogin } from "../access/login.ts"
import { checkClientCertificates, checkedNames } from "../config/check.ts"
import type { BrokerConfig, ListenerConfig, ReloadConfig } from "../config/config.ts"
import { handshakeLimitsOf, listenerLimitsOf, rereadHandshakes, rereadListenerLimits } from "../config/limits.ts"
import type { Reread } from "../config/reread.ts"
import type { HandshakeLimits } from "../listen/listener.ts"
import type { ListenerLimits } from "../session/limits.ts"

/** What a reload says of listeners, each in its place; undefined: as before. */
type Given = Pick<ReloadConfig, "handshakes" | "listenerLimits" | "listenerLogins">

/** Other settings, which are good, and not taken yet. */
export interface NextSettings {
  /** By the listeners' names. */
  readonly logins: ReadonlyMap<string, ListenerLogin>
  readonly take: (means: TakingMeans) => readonly Reread[]
}

/** Whom other limits are told to. */
export interface TakingMeans {
  readonly limitHandshakes: (index: number, limits: HandshakeLimits) => void
  readonly limitListeners: (limits: ReadonlyMap<string, ListenerLimits>) => void
}

export class ListenerSettings {
  /** In the order of the configuration. */
  readonly names: readonly string[]
  /** Undefined: it has no TLS. */
  #handshakes: readonly (HandshakeLimits | undefined)[]
  #logins: readonly ListenerLogin[]
  #limits: readonly ListenerLimits[]

  /** Throws ConfigError. */
  constructor({ listeners = [] }: Pick<BrokerConfig, "listeners">) {
    this.names = checkedNames(listeners)
    listeners.forEach((one, index) => {
      if (hasTls(one)) checkClientCertificates(one, this.#placeOf(index))
    })
    this.#logins = listeners.map(({ login = {} }) => login)
    this.#handshakes = listeners.map((one, i) => (hasTls(one) ? handshakeLimitsOf(one, this.#placeOf(i)) : undefined))
    this.#limits = listeners.map((one, i) => listenerLimitsOf(one.limits ?? {}, `${this.#placeOf(i)}.limits`))
  }

  handshakes(index: number): HandshakeLimits | undefined {
    return this.#handshakes[index]
  }

  /** By the listeners' names, as all that follows. */
  get logins(): ReadonlyMap<string, ListenerLogin> {
    return this.#byName(this.#logins)
  }

  get limits(): ReadonlyMap<string, ListenerLimits> {
    return this.#byName(this.#limits)
  }

  /** Throws ConfigError, and nothing has changed. */
  prepare({ handshakes = [], listenerLimits = [], listenerLogins = [] }: Given): NextSettings {
    const nextHandshakes = this.#handshakes.map((known, i) => {
      const next = handshakes[i]
      return known === undefined || next === undefined ? known : handshakeLimitsOf(next, this.#placeOf(i))
    })
    const nextLimits = this.#limits.map((known, i) => {
      const next = listenerLimits[i]
      return next === undefined ? known : listenerLimitsOf(next, `${this.#placeOf(i)}.limits`)
    })
    const nextLogins = this.#logins.map((known, i) => listenerLogins[i] ?? known)
    return {
      logins: this.#byName(nextLogins),
      take: ({ limitHandshakes, limitListeners }) => {
        this.#logins = nextLogins
        return [
          ...this.#takeHandshakes(nextHandshakes, limitHandshakes),
          ...this.#takeLimits(nextLimits, limitListeners),
        ]
      },
    }
  }

  /** Returns what is other than before. */
  #takeHandshakes(
    all: readonly (HandshakeLimits | undefined)[],
    limit: TakingMeans["limitHandshakes"],
  ): readonly Reread[] {
    const told = all.flatMap((next, i) => {
      const before = this.#handshakes[i]
      if (next === undefined || before === undefined) return []
      const changed = rereadHandshakes(this.#placeOf(i), before, next)
      if (changed.length > 0) limit(i, next)
      return changed
    })
    this.#handshakes = all
    return told
  }

  /** Returns what is other than before. */
  #takeLimits(all: readonly ListenerLimits[], limit: TakingMeans["limitListeners"]): readonly Reread[] {
    const told = all.flatMap((next, i) =>
      rereadListenerLimits(`${this.#placeOf(i)}.limits`, this.#limits[i] ?? {}, next),
    )
    this.#limits = all
    if (told.length > 0) limit(this.#byName(all))
    return told
  }

  #byName<T>(values: readonly T[]): ReadonlyMap<string, T> {
    return new Map(values.map((value, i) => [this.names[i] ?? "", value]))
  }

  /** What errors and the log call a listener. */
  #placeOf(index: number): string {
    return `listeners.${this.names[index]}`
  }
}

function hasTls(one: ListenerConfig): one is Extract<ListenerConfig, { readonly type: "tls" | "wss" }> {
  return one.type === "tls" || one.type === "wss"
}
