// What a configuration says of tokens, a server that is asked and webhooks, as objects of a running broker.

import { HookLogin } from "../access/hook-login.ts"
import { FetchedKeys, fixedKeys, type KeySource } from "../access/key-source.ts"
import type { FurtherMeans, MeansName } from "../access/opinion.ts"
import { TokenLogin, type TokenVerifier } from "../access/token-login.ts"
import type { LogEvent } from "../admin/log.ts"
import { webhookEventNames } from "../admin/webhook-events.ts"
import { Webhook, type WebhookCounts } from "../admin/webhooks.ts"
import {
  ConfigError,
  type HttpLoginConfig,
  type JwtConfig,
  type LoginConfig,
  type WebhookConfig,
} from "../config/config.ts"
import { checkSecret, checkToken, keysIn, placeIn } from "../config/hooks.ts"
import { HttpClient } from "../http/client.ts"
import type { OnFault } from "../listen/boundary.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Identity } from "../ports/access.ts"
import type { Limits } from "../session/limits.ts"

/** What they need of the platform. */
export interface HooksNeeds {
  /** Milliseconds, of the broker's clock. */
  readonly now: () => number
  readonly random: (length: number) => Uint8Array
  /** Those of the moment. */
  readonly limits: () => Pick<Limits, "maximumWaitingLogins" | "maximumWaitingLoginsPerAddress">
  readonly onFault: OnFault
  readonly warn: (text: string) => void
  /** Keys for tokens are others than before. */
  readonly keysChanged: (text: string) => void
}

interface Made {
  /** What it was made of. */
  readonly of: string
  readonly means: FurtherMeans
}

/** Tokens checked at once: WebCrypto does it beside the event loop, in a few threads. */
const tokensAtOnce = 32

/** The ways to log in that are made of a configuration; one that is the same as before goes on. */
export class FurtherLogins {
  readonly #needs: HooksNeeds
  #made: ReadonlyMap<MeansName, Made> = new Map()
  #begun = false
  readonly #keyOf: WeakMap<Identity, string> = new WeakMap()
  #verifier: Promise<TokenVerifier> | undefined

  constructor(needs: HooksNeeds) {
    this.#needs = needs
  }

  get all(): ReadonlyMap<MeansName, FurtherMeans> {
    return new Map([...this.#made].map(([name, { means }]) => [name, means]))
  }

  /** What there will be once `take` is called. Throws ConfigError for what cannot be used, and nothing has changed. */
  prepare({ http, jwt }: LoginConfig): {
    readonly all: ReadonlyMap<MeansName, FurtherMeans>
    readonly take: () => void
  } {
    const next = new Map<MeansName, Made>()
    const add = <T>(name: MeansName, config: T | undefined, make: (config: T) => FurtherMeans) => {
      if (config === undefined) return
      const of = JSON.stringify(config)
      const before = this.#made.get(name)
      next.set(name, before?.of === of ? before : { of, means: make(config) })
    }
    add("jwt", jwt, (config) => this.#tokens(config))
    add("http", http, (config) => this.#hook(config))
    const take = () => {
      const before = this.#made
      this.#made = next
      for (const [name, made] of before) if (next.get(name) !== made) made.means.end()
      if (this.#begun) for (const [name, made] of next) if (before.get(name) !== made) made.means.begin()
    }
    return { all: new Map([...next].map(([name, { means }]) => [name, means])), take }
  }

  begin(): void {
    if (this.#begun) return
    this.#begun = true
    for (const { means } of this.#made.values()) means.begin()
  }

  end(): void {
    for (const { means } of this.#made.values()) means.end()
    this.#made = new Map()
  }

  #tokens(config: JwtConfig): FurtherMeans {
    const { now } = this.#needs
    const { issuer, audience, userClaim = "sub", publishClaim = "publish", subscribeClaim = "subscribe" } = config
    const { leeway = 30, requireExpiry = true } = config
    const rules = { issuer, audience, userClaim, publishClaim, subscribeClaim, leeway, requireExpiry }
    return new TokenLogin(this.#keys(config), rules, {
      now,
      wall: () => Date.now(),
      verifier: () => this.#loadVerifier(),
      limits: () => this.#poolOf(tokensAtOnce),
      keyOf: this.#keyOf,
      fault: (error) => this.#needs.onFault(error, "tokens"),
    })
  }

  #keys({ jwks, jwksUrl, ca, jwksRefresh = 600, jwksMaximumAge = 86_400 }: JwtConfig): KeySource {
    if (jwks !== undefined) return fixedKeys(keysIn(jwks, "login.jwt.jwks"))
    if (jwksUrl === undefined)
      throw new ConfigError("login.jwt needs the keys that tokens are checked with: jwks or jwksUrl")
    const { keysChanged, now, onFault, warn } = this.#needs
    const place = placeIn(jwksUrl, "login.jwt.jwksUrl")
    const caller = new HttpClient({ place, ca, idle: 1, onFault })
    const times = { refresh: 1000 * jwksRefresh, maximumAge: 1000 * jwksMaximumAge }
    const fault = (error: unknown) => onFault(error, place.shown)
    return new FetchedKeys(caller, times, {
      now,
      chance: Math.random,
      after: (ms, work) => after(ms, work, fault),
      fault,
      warn,
      changed: keysChanged,
    })
  }

  #hook(config: HttpLoginConfig): FurtherMeans {
    const { now, onFault, random, warn } = this.#needs
    const { url, ca, token, timeout = 5000, concurrency = 32, cacheTime = 0, cacheEntries = 10_000 } = config
    const place = placeIn(url, "login.http.url")
    if (token !== undefined) checkToken(token, "login.http.token")
    const caller = new HttpClient({ place, ca, idle: concurrency, onFault })
    return new HookLogin(
      caller,
      { timeout, cacheTime, cacheEntries, token },
      {
        now,
        chance: Math.random,
        random,
        limits: () => this.#poolOf(concurrency),
        fault: (error) => onFault(error, place.shown),
        warn,
      },
    )
  }

  #poolOf(atOnce: number) {
    const { maximumWaitingLogins: waiting, maximumWaitingLoginsPerAddress: waitingPerAddress } = this.#needs.limits()
    return { atOnce, waiting, waitingPerAddress }
  }

  #loadVerifier(): Promise<TokenVerifier> {
    this.#verifier ??= import("../access/token-verify.ts").then(({ createTokenVerifier }) => createTokenVerifier())
    return this.#verifier
  }
}

interface Told {
  /** What it was made of. */
  readonly of: string
  readonly webhook: Webhook
}

/** The webhooks of a configuration; one that is the same as before goes on. */
export class Webhooks {
  readonly #needs: Pick<HooksNeeds, "now" | "onFault" | "random" | "warn">
  readonly #runId: string
  #made: readonly Told[] = []
  /** How many there have been. */
  #number = 0
  /** Of those that there are no more. */
  #before: WebhookCounts = { delivered: 0, dropped: 0, refused: 0 }

  constructor(needs: Pick<HooksNeeds, "now" | "onFault" | "random" | "warn">) {
    this.#needs = needs
    this.#runId = hex(needs.random(8))
  }

  /** Takes these once the answer is called. Throws ConfigError for what cannot be used, and nothing has changed. */
  prepare(configs: readonly WebhookConfig[]): () => void {
    const left = [...this.#made]
    const next = configs.map((config, at): Told => {
      const of = JSON.stringify(config)
      const same = left.findIndex((each) => each.of === of)
      const [before] = same < 0 ? [] : left.splice(same, 1)
      return before ?? { of, webhook: this.#make(config, `webhooks[${at}]`) }
    })
    return () => {
      this.#made = next
      for (const { webhook } of left) {
        this.#before = sum([this.#before, webhook.counts])
        webhook.end(() => undefined)
      }
    }
  }

  /** Undefined: there have never been any. */
  get counts(): WebhookCounts | undefined {
    return this.#number === 0 ? undefined : sum([this.#before, ...this.#made.map(({ webhook }) => webhook.counts)])
  }

  take(event: LogEvent): void {
    for (const { webhook } of this.#made) webhook.take(event)
  }

  /** Resolves when what waits has been sent, or one try has failed. */
  async end(): Promise<void> {
    await Promise.all(this.#made.map(({ webhook }) => new Promise<void>((resolve) => webhook.end(resolve))))
  }

  #make(config: WebhookConfig, where: string): Webhook {
    const { now, onFault, warn } = this.#needs
    const { url, ca, secret, events = webhookEventNames, timeout = 10_000, maximumWaiting = 10_000 } = config
    const place = placeIn(url, `${where}.url`)
    if (secret !== undefined) checkSecret(secret, `${where}.secret`)
    const caller = new HttpClient({ place, ca, idle: 1, onFault })
    const key = secret === undefined ? undefined : encodeText(secret)
    const runId = `${this.#runId}${this.#number === 0 ? "" : `-${this.#number}`}`
    this.#number++
    const fault = (error: unknown) => onFault(error, place.shown)
    const means = {
      now,
      wall: () => Date.now(),
      chance: Math.random,
      runId,
      after: (ms: number, work: () => void) => after(ms, work, fault),
      warn,
      fault,
    }
    return new Webhook(caller, { events, secret: key, timeout, maximumWaiting }, means)
  }
}

function sum(all: readonly WebhookCounts[]): WebhookCounts {
  const total = { delivered: 0, dropped: 0, refused: 0 }
  for (const { delivered, dropped, refused } of all) {
    total.delivered += delivered
    total.dropped += dropped
    total.refused += refused
  }
  return total
}

/** A timer's work inside a boundary. */
function after(milliseconds: number, work: () => void, fault: (error: unknown) => void): () => void {
  const timer = setTimeout(() => {
    try {
      work()
    } catch (error) {
      fault(error)
    }
  }, milliseconds)
  timer.unref()
  return () => clearTimeout(timer)
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
