// Is it well? One sentence, and the reasons, the worst first.

import type {
  BridgeModel,
  BrokerModel,
  CertificatesModel,
  HandshakeFailureModel,
  NodeModel,
  RefusalModel,
} from "../http/model.ts"
import { bridgeReasons } from "./bridges.ts"
import { explain } from "./failures.ts"
import { ago, bytes, count, duration, several } from "./format.ts"
import { lately as recent } from "./history.ts"
import { nodeReasons } from "./nodes.ts"
import { grownSince, type Numbers, type Point } from "./numbers.ts"
import type { Reason } from "./reason.ts"
import { shown } from "./sent.ts"

export type Tone = "good" | Reason["tone"]

export interface Verdict {
  readonly tone: Tone
  readonly sentence: string
  readonly reasons: readonly Reason[]
}

export interface Known {
  readonly broker: BrokerModel
  readonly numbers: Numbers | undefined
  readonly earlier: Numbers | undefined
  readonly lastPoint: Point | undefined
  readonly certificates: CertificatesModel | undefined
  readonly bridges: readonly BridgeModel[] | undefined
  readonly nodes: readonly NodeModel[] | undefined
  readonly failures: readonly HandshakeFailureModel[] | undefined
  readonly refusals: readonly RefusalModel[] | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  /** Since when it has not answered, in milliseconds since 1970; undefined: it does. All of the above is of then. */
  readonly lostSince?: number | undefined
}

/** Days before a certificate expires at which it is to be looked at, and at which it is bad. */
export const expirySoon = 30
export const expiryNow = 7

export function verdictOf(known: Known): Verdict {
  const { lostSince } = known
  return lostSince === undefined ? ofNow(known) : ofThen(known, lostSince)
}

/** Nobody knows how it is: that all was well says nothing. */
function ofThen(known: Known, lostSince: number): Verdict {
  const silence = ago(lostSince, known.now).replace(/ ago$/, "")
  const begun = silence === "just now" ? "The broker does not answer" : `The broker has not answered for ${silence}`
  const then = `${several(known.broker.clients, "client")} ${known.broker.clients === 1 ? "was" : "were"} connected then`
  return { tone: "bad", sentence: `${begun}: ${then}.`, reasons: ofNow({ ...known, now: lostSince }).reasons }
}

function ofNow(known: Known): Verdict {
  const reasons = [
    ...healthReasons(known),
    ...certificateReasons(known.certificates),
    ...nodeReasons(known.nodes),
    ...bridgeReasons(known.bridges),
    ...numberReasons(known),
    ...failureReasons(known),
    ...refusalReasons(known),
  ].sort((a, b) => Number(a.tone === "look") - Number(b.tone === "look"))
  const tone = reasons[0]?.tone ?? "good"
  return { tone, sentence: sentenceOf(tone, known, reasons), reasons }
}

function sentenceOf(tone: Tone, { broker, now }: Known, reasons: readonly Reason[]): string {
  const up = ago(Date.parse(broker.startedAt), now).replace(/ ago$/, "")
  const who = broker.clients === 0 ? "no client is connected" : `${several(broker.clients, "client")} connected`
  const since = up === "just now" ? "it has just started" : `up for ${up}`
  if (tone === "good") return `All is well: ${who}, ${since}.`
  const bad = reasons.filter(({ tone }) => tone === "bad").length
  const look = reasons.length - bad
  const things = (many: number) => (many === 1 ? "one thing" : `${count(many)} things`)
  if (tone === "look") return `It works, with ${things(look)} to look at: ${who}, ${since}.`
  const what = bad === 1 ? "One thing needs" : `${count(bad)} things need`
  return `${what} you now${look > 0 ? `, and ${things(look)} a look` : ""}: ${who}, ${since}.`
}

function healthReasons({ broker }: Known): Reason[] {
  const reasons: Reason[] = []
  if (broker.draining !== undefined) {
    const { server, left } = broker.draining
    const text = `Clients are being sent to ${shown(server)}: ${several(left, "connection")} left, and nobody is let in.`
    reasons.push({ tone: "look", text, href: "#/operate" })
  } else if (broker.problem !== undefined) {
    reasons.push({ tone: "bad", text: `The broker is not well: ${shown(broker.problem, 300)}.`, href: undefined })
  }
  return reasons
}

function certificateReasons(certificates: CertificatesModel | undefined): Reason[] {
  if (certificates === undefined) return []
  const href = "#/security"
  const soon = certificates.certificates
    .filter(({ role, daysLeft }) => (role === "clients" ? daysLeft <= expiryNow : daysLeft <= expirySoon))
    .sort((a, b) => a.daysLeft - b.daysLeft)
  const lists = certificates.revocationLists.filter(({ daysLeft }) => daysLeft !== undefined && daysLeft < 0)
  return [
    ...soon.map(({ listener, role, subject, daysLeft }): Reason => {
      const what = role === "server" ? "The certificate" : role === "chain" ? "A certificate above it" : "An authority"
      const text = `${what} of ${shown(listener)} (${shown(subject, 60)}) ${expiryText(daysLeft)}.`
      return { tone: daysLeft <= expiryNow ? "bad" : "look", text, href }
    }),
    ...lists.map(({ listener, issuer }): Reason => {
      const text = `The revocation list of ${shown(issuer, 60)} at ${shown(listener)} is out of date.`
      return { tone: "bad", text, href }
    }),
  ]
}

export function expiryText(daysLeft: number): string {
  if (daysLeft < 0) return "has expired: clients refuse it"
  if (daysLeft === 0) return "expires today"
  return `expires in ${several(daysLeft, "day")}`
}

function numberReasons({ numbers, earlier, lastPoint, broker }: Known): Reason[] {
  if (numbers === undefined || earlier === undefined) return []
  const reasons: Reason[] = []
  const faults = numbers.plain["faults"] ?? 0
  if (faults > 0) {
    const text = `${several(faults, "defect")} inside the broker since its start, each of which ended one connection at most: its log has ${faults === 1 ? "it" : "them"}.`
    reasons.push({ tone: "look", text, href: undefined })
  }
  const dropped = grownSince(numbers.dropped, earlier.dropped).filter(([reason]) => / full$/.test(reason))
  if (dropped.length > 0) {
    const all = dropped.reduce((sum, [, more]) => sum + more, 0)
    const text = `${several(all, "message")} not delivered in the last minutes as ${dropped.map(([reason]) => fullWords[reason] ?? reason).join(" and ")}.`
    reasons.push({ tone: "look", text, href: "#/clients" })
  }
  const delay = lastPoint?.values["eventLoopDelay99"]
  if (typeof delay === "number" && delay >= 0.25) {
    const text = `The broker is busy: its timers come ${duration(delay)} late.`
    reasons.push({ tone: delay >= 1 ? "bad" : "look", text, href: undefined })
  }
  const most = broker.limits["maximumTotalQueuedBytes"] ?? 0
  const queued = numbers.plain["queuedBytes"] ?? 0
  if (most > 0 && queued > most * 0.8) {
    const text = `Queues are nearly full: ${bytes(queued)} of ${bytes(most)}.`
    reasons.push({ tone: "look", text, href: "#/sessions" })
  }
  return reasons
}

const fullWords: Readonly<Record<string, string>> = {
  "output full": "clients do not read fast enough",
  "queue full": "queues of sessions are full",
  "memory full": "the memory for messages is full",
}

function failureReasons({ failures = [], now }: Known): Reason[] {
  // Who only looks whether a port is open has not failed.
  const lately = failures.filter(({ at, offer, alert, turnedAway }) => {
    return now - Date.parse(at) < recent && (offer !== undefined || alert !== undefined || turnedAway)
  })
  if (lately.length === 0) return []
  const kinds = new Map<string, HandshakeFailureModel[]>()
  for (const failure of lately) {
    const { kind } = explain(failure)
    kinds.set(kind, [...(kinds.get(kind) ?? []), failure])
  }
  const [[, most = []] = []] = [...kinds].sort(
    ([, a], [, b]) => b.length - a.length || Number(b[0]?.alert !== undefined) - Number(a[0]?.alert !== undefined),
  )
  const [newest] = most
  if (newest === undefined) return []
  const { what } = explain(newest)
  const text =
    lately.length === 1
      ? `A TLS handshake failed: ${what}`
      : `${several(lately.length, "TLS handshake")} failed in the last 5 minutes, the most like this: ${what}`
  return [{ tone: newest.fault === "server" ? "bad" : "look", text, href: "#/security" }]
}

function refusalReasons({ refusals = [], now }: Known): Reason[] {
  const lately = refusals.filter(({ kind, at }) => kind === "login" && now - Date.parse(at) < recent)
  if (lately.length === 0) return []
  const users = new Set(lately.map(({ peer }) => peer.replace(/:\d+$/, "")))
  const from =
    users.size === 1 ? `from ${shown([...users][0] ?? "", 60)}` : `from ${several(users.size, "address", "addresses")}`
  const text = `${several(lately.length, "login")} refused in the last 5 minutes, ${from}.`
  return [{ tone: "look", text, href: "#/security" }]
}
