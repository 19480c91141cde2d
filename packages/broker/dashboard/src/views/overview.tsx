// Is it well, who is connected, what fails and why: for who has ten seconds.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { explain } from "../../../src/admin/words/failures.ts"
import { bytes, count, duration, short } from "../../../src/admin/words/format.ts"
import { waitingOf } from "../../../src/admin/words/numbers.ts"
import { type Tone, type Verdict, verdictOf } from "../../../src/admin/words/verdict.ts"
import {
  bridges,
  broker,
  certificates,
  earlier,
  failures,
  link,
  listeners,
  nodes,
  now,
  numbers,
  points,
  refusals,
} from "../live/broker.ts"
import { hrefOf } from "../page/address.ts"
import { Bridges } from "../parts/bridges.tsx"
import { Chart, type Line, span } from "../parts/chart.tsx"
import { Events } from "../parts/events.tsx"
import { Nodes } from "../parts/nodes.tsx"
import { Segments } from "../parts/segments.tsx"
import { When } from "../parts/text.tsx"
import { refusalText } from "../words/refusals.ts"
import { FirstClient } from "./first-client.tsx"

export function Overview(): JSX.Element {
  const [isWanted, setWanted] = useState(false)
  const about = broker.value
  if (about === undefined) return <p class="waiting">The broker is being asked.</p>
  const isEmpty = about.clients === 0 && (numbers.value?.plain["connectsAccepted"] ?? 0) === 0 && about.sessions === 0
  const lost = link.value.state === "lost" ? link.value : undefined
  if (isEmpty && !isWanted && lost === undefined && about.draining === undefined && listeners.value !== undefined)
    return <FirstClient listeners={listeners.value} onLeave={() => setWanted(true)} />
  const verdict = verdictOf({
    broker: about,
    numbers: numbers.value,
    earlier: earlier.value,
    lastPoint: points.value.at(-1),
    certificates: certificates.value,
    bridges: bridges.value,
    nodes: nodes.value,
    failures: failures.value,
    refusals: refusals.value,
    now: now.value,
    lostSince: lost?.since,
  })
  return (
    <div class="stack">
      <Said verdict={verdict} isOld={lost !== undefined} />
      <BigNumbers isOld={lost !== undefined} />
      <div class="pair">
        <LastFailures />
        <Events />
      </div>
      <Nodes />
      <Bridges />
      <Charts />
    </div>
  )
}

/* ---------------------------------------------------------------- the sentence */

const signs: Readonly<Record<Tone, string>> = {
  good: "M6 17l6 6L26 9",
  look: "M16 7v12M16 24.5v.1",
  bad: "M8 8l16 16M24 8L8 24",
}

/** Reasons that are told at once. */
const mostReasons = 6

interface SaidProps {
  readonly verdict: Verdict
  readonly isOld: boolean
}

function Said({ verdict: { tone, sentence, reasons }, isOld }: SaidProps): JSX.Element {
  const more = reasons.length - mostReasons
  return (
    <section class={`verdict is-${tone}`} aria-label="Health">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <path d={signs[tone]} />
      </svg>
      <h1>{sentence}</h1>
      {reasons.length === 0 && isOld ? (
        <p class="quiet">What stands here is of then, when all was well.</p>
      ) : reasons.length === 0 ? (
        <p class="quiet">No failed handshakes, no refused logins, nothing lost in the last 5 minutes.</p>
      ) : (
        <ul>
          {reasons.slice(0, mostReasons).map(({ tone: own, text, href }) => (
            <li key={text} class={`is-${own}`}>
              <span class="sent">
                {text}{" "}
                {href !== undefined && (
                  <a href={href} aria-label={`More: ${text}`}>
                    More
                  </a>
                )}
              </span>
            </li>
          ))}
          {more > 0 && <li class="quiet">and {count(more)} more</li>}
        </ul>
      )}
    </section>
  )
}

/* ---------------------------------------------------------------- numbers */

function BigNumbers({ isOld }: { readonly isOld: boolean }): JSX.Element | null {
  const [about, taken, last] = [broker.value, numbers.value, points.value.at(-1)]
  if (about === undefined || taken === undefined) return null
  const rate = (name: string) => last?.values[name] ?? undefined
  const level = (name: string) => taken.plain[name] ?? 0
  const perSecond = (name: string, format: (value: number) => string) => {
    const value = rate(name)
    return value === undefined ? "–" : format(value)
  }
  const { with: withPq, without } = about.postQuantum
  return (
    <dl class={isOld ? "big is-old" : "big"}>
      <Big name="Clients" href={hrefOf("clients")} value={count(about.clients)}>
        most so far {count(level("clientsMaximum"))}
      </Big>
      <Big name="Messages in" value={perSecond("publishReceived", short)} unit="/s">
        {perSecond("bytesReceived", bytes)}/s
      </Big>
      <Big name="Messages out" value={perSecond("publishSent", short)} unit="/s">
        {perSecond("bytesSent", bytes)}/s
      </Big>
      <Big
        name="Post-quantum"
        href={hrefOf("security")}
        value={withPq + without === 0 ? "–" : percent(withPq, without)}
      >
        {withPq + without === 0 ? "no client with TLS" : `of ${count(withPq + without)} with TLS`}
      </Big>
      <Big name="Sessions" href={hrefOf("sessions")} value={count(about.sessions)}>
        {count(about.sessions - about.clients)} away
      </Big>
      <Big name="Subscriptions" href={hrefOf("subscriptions")} value={count(about.subscriptions)}>
        {"\u00a0"}
      </Big>
      <Big name="Retained" href={hrefOf("topics")} value={count(about.retainedMessages)}>
        {bytes(level("retainedBytes"))}
      </Big>
      <Big name="Waiting" value={count(waitingOf(taken))}>
        {bytes(level("queuedBytes"))} in queues
      </Big>
    </dl>
  )
}

interface BigProps {
  readonly name: string
  readonly value: string
  readonly unit?: string
  readonly href?: string
  readonly children: string | readonly string[]
}

function Big({ name, value, unit, href, children }: BigProps): JSX.Element {
  return (
    <div>
      <dt>{href === undefined ? name : <a href={href}>{name}</a>}</dt>
      <dd>
        {value}
        {unit !== undefined && <small>{unit}</small>}
      </dd>
      <dd class="more">{children}</dd>
    </div>
  )
}

function percent(part: number, rest: number): string {
  // All is all, and none is none: nothing else is rounded to either.
  const share = (part / (part + rest)) * 100
  return `${share > 0 && share < 1 ? "<1" : share > 99 && share < 100 ? ">99" : Math.round(share)}\u202f%`
}

/* ---------------------------------------------------------------- what failed */

interface Told {
  readonly key: string
  readonly at: string
  readonly what: string
  readonly advice: string | undefined
}

function LastFailures(): JSX.Element {
  const handshakes = (failures.value ?? []).slice(0, 6).map((failure): Told => {
    const { what, advice } = explain(failure)
    return { key: `handshake ${failure.id}`, at: failure.at, what, advice }
  })
  const others = (refusals.value ?? []).slice(0, 6).map((refusal): Told => {
    return { key: `refusal ${refusal.id}`, at: refusal.at, what: refusalText(refusal), advice: undefined }
  })
  const all = [...handshakes, ...others].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, 6)
  return (
    <section class="card" aria-label="What failed last">
      <header>
        <h2>What failed last</h2>
        <a href={hrefOf("security")}>Security</a>
      </header>
      {all.length === 0 ? (
        <p class="quiet is-short">Nothing has failed.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
        <ol class="happened is-short" tabIndex={0} aria-label="What failed, newest first">
          {all.map(({ key, at, what, advice }) => (
            <li key={key}>
              <bdi class="sent">{what}</bdi>
              <When at={at} />
              {advice !== undefined && <span class="advice sent">{advice}</span>}
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

/* ---------------------------------------------------------------- charts */

const line = (name: string, label: string, hue: Line["hue"]): Line => ({ name, label, hue })
const perSecond = (value: number) => `${short(value)}/s`
const bytesPerSecond = (value: number) => `${bytes(value)}/s`

const messageLines = [line("publishReceived", "in", "in"), line("publishSent", "out", "out")]
const byteLines = [line("bytesReceived", "in", "in"), line("bytesSent", "out", "out")]
const connectionLines = [line("connections", "connections", "soft"), line("clientsConnected", "clients", "in")]
const handshakeLines = [
  line("handshakes", "succeeded", "good"),
  line("handshakeFailures", "failed", "bad"),
  line("connectsRefused", "logins refused", "look"),
]
const percentiles = (name: string) => [line(`${name}50`, "half below", "in"), line(`${name}99`, "99 % below", "out")]
const handshakeTimes = percentiles("handshakeTimes")
const deliveries = percentiles("delivery")
const commits = percentiles("commit")
const delays = percentiles("eventLoopDelay")
const queueLines = [line("waiting", "waiting", "third"), line("inflightMessages", "in flight", "in")]
const memoryLines = [
  line("heapBytes", "heap", "third"),
  line("queuedBytes", "queues", "in"),
  line("outboundBytes", "unsent", "out"),
]

const memoryOfProcess = [line("residentBytes", "process", "soft"), ...memoryLines]

const spans = [
  ["300000", "5 min"],
  ["1200000", "20 min"],
  ["3600000", "1 h"],
] as const

function Charts(): JSX.Element {
  // What a host does not measure has no chart.
  const isTold = numbers.value?.residentBytes !== undefined
  const has = (name: string) => (numbers.value?.[name as "delivery"] ?? []).length > 0
  return (
    <section class="section" aria-label="Charts">
      <header>
        <h2>The last minutes</h2>
        <Segments
          name="span"
          label="How long"
          value={String(span.value) as (typeof spans)[number][0]}
          choices={spans}
          onChoose={(value) => (span.value = Number(value))}
        />
      </header>
      <div class="charts">
        <Chart title="Messages" lines={messageLines} format={perSecond} least={5} />
        <Chart title="Bytes" lines={byteLines} format={bytesPerSecond} least={1000} />
        <Chart title="Connections" lines={connectionLines} format={short} least={4} />
        <Chart title="Handshakes and logins" lines={handshakeLines} format={perSecond} least={2} />
        {has("handshakeTimes") && (
          <Chart title="Handshake time" lines={handshakeTimes} format={duration} least={0.005} />
        )}
        {has("delivery") && <Chart title="Publish to deliver" lines={deliveries} format={duration} least={0.001} />}
        <Chart title="Queues" lines={queueLines} format={short} least={5} />
        {has("commit") && <Chart title="Commit" lines={commits} format={duration} least={0.001} />}
        <Chart title="Memory" lines={isTold ? memoryOfProcess : memoryLines} format={bytes} least={1e6} />
        {has("eventLoopDelay") && <Chart title="Event-loop delay" lines={delays} format={duration} least={0.01} />}
      </div>
    </section>
  )
}
