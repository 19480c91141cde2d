// What the page knows of the broker: asked for every two seconds, told by its events at once, and said to be old when the
// connection is lost, which comes back by itself.

import { batch, type Signal, signal } from "@preact/signals"
import type {
  BridgeModel,
  BrokerModel,
  CertificatesModel,
  HandshakeFailureModel,
  ListenerModel,
  MetricsModel,
  NodeModel,
  PageOf,
  RefusalModel,
  Scope,
  TokenModel,
} from "../../../src/admin/http/model.ts"
import { History } from "../../../src/admin/words/history.ts"
import { type Numbers, numbersOf, type Point } from "../../../src/admin/words/numbers.ts"
import { brokersTime } from "../api/clock.ts"
import { eventsIn } from "../api/event-stream.ts"
import { ask, type Input, openEvents, operate, RequestRefused, Unreachable } from "../api/request.ts"
import type { Happened } from "./happened.ts"
import { forgetToken, token } from "./token.ts"

/** Milliseconds between two looks; while nobody sees the page, between two of those. */
const lookEach = 2000
const lookEachHidden = 20_000
/** Between two points of the charts. */
const leastBetween = 1500
/** Listeners and certificates. */
const lookSeldom = 30_000
const longestWait = 10_000
/** Of the charts: an hour. */
const mostPoints = 1800
const mostEvents = 200
const mostFailures = 200
/** Of the refusals those of logins: others may be so many that none of these is among them. */
const mostLogins = 100

export type Link =
  | { readonly state: "begins" }
  | { readonly state: "there" }
  | { readonly state: "lost"; readonly since: number; readonly why: string }

export const link: Signal<Link> = signal<Link>({ state: "begins" })
export const broker: Signal<BrokerModel | undefined> = signal(undefined)
export const numbers: Signal<Numbers | undefined> = signal(undefined)
/** The numbers when the page began to look, or of five minutes ago: what is "lately" is since then. */
export const earlier: Signal<Numbers | undefined> = signal(undefined)
export const points: Signal<readonly Point[]> = signal([])
export const listeners: Signal<readonly ListenerModel[] | undefined> = signal(undefined)
export const bridges: Signal<readonly BridgeModel[] | undefined> = signal(undefined)
export const nodes: Signal<readonly NodeModel[] | undefined> = signal(undefined)
export const certificates: Signal<CertificatesModel | undefined> = signal(undefined)
export const failures: Signal<readonly HandshakeFailureModel[] | undefined> = signal(undefined)
export const refusals: Signal<readonly RefusalModel[] | undefined> = signal(undefined)
export const events: Signal<readonly Happened[]> = signal([])
/** Why they do not come at the moment, in a sentence; undefined: they do. */
export const eventsProblem: Signal<string | undefined> = signal(undefined)
/** What the token may do; undefined: not known yet. */
export const scope: Signal<Scope | undefined> = signal(undefined)
export const tokenName: Signal<string> = signal("")
/** The broker's clock, for times that are said as "2 minutes ago". */
export const now: Signal<number> = signal(brokersTime())

/** Asks with the token of the moment; a token that is no good any more is given back. */
export async function asked<Answer>(path: string, input: Input = {}): Promise<Answer> {
  return guarded((given) => ask<Answer>(given, path, input))
}

export async function operated<Answer>(method: "POST" | "DELETE", path: string, input: Input = {}): Promise<Answer> {
  const answer = await guarded((given) => operate<Answer>(given, method, path, input))
  lookSoon()
  return answer
}

async function guarded<Answer>(work: (token: string) => Promise<Answer>): Promise<Answer> {
  const given = token.value
  if (given === undefined) throw new RequestRefused(401, "There is no token.")
  try {
    return await work(given)
  } catch (error) {
    if (error instanceof RequestRefused && error.status === 401 && token.value === given) forgetToken(error.message)
    throw error
  }
}

/** Begins to look, until the returned function is called. */
export function follow(): () => void {
  const end = new AbortController()
  const { signal: ended } = end
  batch(forgetAll)
  void looking(ended)
  void listening(ended)
  const clock = setInterval(() => (now.value = brokersTime()), 1000)
  const seen = () => {
    if (!document.hidden) lookSoon()
  }
  document.addEventListener("visibilitychange", seen)
  return () => {
    end.abort()
    wake.now()
    clearInterval(clock)
    document.removeEventListener("visibilitychange", seen)
  }
}

function forgetAll(): void {
  link.value = { state: "begins" }
  for (const one of [broker, numbers, earlier, listeners, bridges, nodes, certificates, failures, refusals, scope])
    one.value = undefined
  points.value = []
  events.value = []
  eventsProblem.value = undefined
  history = new History(mostPoints, leastBetween)
}

/* ---------------------------------------------------------------- looks */

let history = new History(mostPoints, leastBetween)
/** What is to be asked for with the next look. */
const due = { seldom: true, failures: true, refusals: true }
const wake: { now: () => void } = { now: () => undefined }
let isAsleep = false
let again = false

function lookSoon(): void {
  again = true
  if (isAsleep) wake.now()
}

async function sleep(milliseconds: number): Promise<void> {
  if (again) return
  isAsleep = true
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    wake.now = () => {
      clearTimeout(timer)
      resolve()
    }
  })
  isAsleep = false
}

async function looking(ended: AbortSignal): Promise<void> {
  let wait = 1000
  let seldomAt = 0
  Object.assign(due, { seldom: true, failures: true, refusals: true })
  while (!ended.aborted) {
    again = false
    if (Date.now() - seldomAt > lookSeldom) Object.assign(due, { seldom: true, failures: true, refusals: true })
    try {
      const { seldom } = due
      await look(ended)
      if (seldom) seldomAt = Date.now()
      wait = 1000
      if (!ended.aborted) link.value = { state: "there" }
    } catch (error) {
      if (ended.aborted) return
      if (error instanceof RequestRefused && error.status === 401) return
      lose(error)
      Object.assign(due, { seldom: true, failures: true, refusals: true })
      again = false
      await sleep(wait)
      wait = Math.min(longestWait, wait * 2)
      continue
    }
    await sleep(document.hidden ? lookEachHidden : lookEach)
  }
}

function lose(error: unknown): void {
  if (!(error instanceof RequestRefused) && !(error instanceof Unreachable)) console.error(error)
  const why = error instanceof Error ? error.message : String(error)
  const { value } = link
  link.value = { state: "lost", since: value.state === "lost" ? value.since : brokersTime(), why }
  if (value.state === "lost") return
  history.gap()
  points.value = history.points
}

async function look(ended: AbortSignal): Promise<void> {
  const wanted = { ...due }
  // What happens meanwhile is looked at next time.
  Object.assign(due, { seldom: false, failures: false, refusals: false })
  // Who has none has none until the broker is started again.
  const hasBridges = (bridges.value ?? []).length > 0
  const hasNodes = (nodes.value ?? []).length > 1
  const [about, metrics, doors, others, cluster, papers, failed, refused] = await Promise.all([
    asked<BrokerModel>("/broker"),
    asked<MetricsModel>("/metrics"),
    wanted.seldom ? asked<readonly ListenerModel[]>("/listeners") : undefined,
    wanted.seldom || hasBridges ? asked<readonly BridgeModel[]>("/bridges") : undefined,
    wanted.seldom || hasNodes ? asked<readonly NodeModel[]>("/nodes") : undefined,
    wanted.seldom ? asked<CertificatesModel>("/certificates") : undefined,
    wanted.failures ? asked<PageOf<HandshakeFailureModel>>("/handshake-failures", { limit: mostFailures }) : undefined,
    wanted.refusals ? lastRefusals() : undefined,
  ])
  if (scope.value === undefined) {
    const { name, scope: may } = await asked<TokenModel>("/token")
    scope.value = may
    tokenName.value = name
  }
  if (ended.aborted) return
  batch(() => {
    now.value = brokersTime()
    broker.value = about
    remember(numbersOf(metrics, Date.now()))
    if (doors !== undefined) listeners.value = doors
    if (others !== undefined) bridges.value = others
    if (cluster !== undefined) nodes.value = cluster
    if (papers !== undefined) certificates.value = papers
    if (failed !== undefined) failures.value = failed.items
    if (refused !== undefined) refusals.value = refused
  })
}

async function lastRefusals(): Promise<readonly RefusalModel[]> {
  const pages = await Promise.all([
    asked<PageOf<RefusalModel>>("/refusals", { limit: mostFailures }),
    asked<PageOf<RefusalModel>>("/refusals", { limit: mostLogins, kind: "login" }),
  ])
  const all = new Map(pages.flatMap(({ items }) => items).map((each) => [each.id, each]))
  return [...all.values()].sort((a, b) => b.id - a.id)
}

function remember(taken: Numbers): void {
  history.add(taken)
  numbers.value = history.last
  earlier.value = history.earlier
  points.value = history.points
}

/* ---------------------------------------------------------------- events */

async function listening(ended: AbortSignal): Promise<void> {
  let wait = 1000
  let id = 0
  while (!ended.aborted) {
    const given = token.value
    if (given === undefined) return
    try {
      const stream = await openEvents(given, ended)
      eventsProblem.value = undefined
      wait = 1000
      for await (const data of eventsIn(stream)) take(data, ++id)
    } catch (error) {
      // What asks every two seconds tells of it.
      if (ended.aborted || (error instanceof RequestRefused && error.status === 401)) return
      eventsProblem.value = error instanceof Error ? error.message : String(error)
    }
    lookSoon()
    await new Promise((resolve) => setTimeout(resolve, wait))
    wait = Math.min(longestWait, wait * 2)
  }
}

let fresh: Happened[] = []

function take(data: string, id: number): void {
  const line = JSON.parse(data) as Omit<Happened, "id">
  fresh.unshift({ ...line, id } as Happened)
  if (fresh.length > mostEvents) fresh.length = mostEvents
  // Five hundred in a second are drawn a few times.
  if (fresh.length === 1) setTimeout(tell, 200)
}

function tell(): void {
  const all = fresh
  fresh = []
  const has = (name: string) => all.some(({ event }) => event === name)
  events.value = [...all, ...events.value].slice(0, mostEvents)
  if (has("tls failure")) due.failures = true
  if (has("client refused") || has("access refused") || has("message refused")) due.refusals = true
  if (has("node joined") || has("reloaded") || has("certificate renewed") || has("listening") || has("admin operation"))
    due.seldom = true
  const isFirst = has("client connected") && broker.value?.clients === 0
  if (due.failures || due.refusals || due.seldom || isFirst) lookSoon()
}
