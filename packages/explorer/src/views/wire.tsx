// What goes between the ends, half a round trip after the other: each record as an arrow, with what is inside of it for who has keys.

import { signal } from "@preact/signals"
import { alertName } from "@puremq/tls13"
import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import { go } from "../page/state.ts"
import { type Inside, type Rung, rungsOf } from "../reading/ladder.ts"
import { mqttPacketOf } from "../run/mqtt.ts"
import type { Step, Timeline } from "../run/step.ts"
import { bytesText, contentTypeName, fateTitle, messageTitle } from "../words/names.ts"

interface Props {
  readonly timeline: Timeline
  readonly connection: number
  readonly step: number
}

/** Whether the wire is shown as the ends know it, or as everybody sees it. */
const seesInside = signal(true)

export function Wire({ timeline, connection, step }: Props): JSX.Element {
  const all = useMemo(() => rungsOf(timeline, connection), [timeline, connection])
  const rungs = all.filter(({ sentAt, wireAt }) => (sentAt ?? wireAt ?? 0) <= step)
  const flights = new Map<number, Rung[]>()
  for (const rung of rungs) flights.set(rung.flight, [...(flights.get(rung.flight) ?? []), rung])
  const now = rungAt(timeline, rungs, step)
  const connections = Math.max(...timeline.steps.map(({ connection: of }) => of)) + 1
  return (
    <section class="wire" aria-labelledby="wire-title">
      <header class="end-head">
        <h3 id="wire-title">
          The wire
          {connections > 1 && (
            <span class="quiet">
              {" "}
              connection {connection + 1} of {connections}
            </span>
          )}
        </h3>
        <fieldset class="segments small">
          <legend class="sr">Seen by</legend>
          {[true, false].map((inside) => (
            <label key={String(inside)}>
              <input
                type="radio"
                name="seen-by"
                checked={seesInside.value === inside}
                onChange={() => {
                  seesInside.value = inside
                }}
              />
              <span>{inside ? "As the ends see it" : "As everybody does"}</span>
            </label>
          ))}
        </fieldset>
      </header>
      <div class="ladder">
        <div class="ladder-ends" aria-hidden="true">
          <span>client</span>
          <span>server</span>
        </div>
        {rungs.length === 0 && (
          <p class="quiet silent">Nothing has been sent yet: go on with the right arrow key, or play.</p>
        )}
        {[...flights].map(([flight, records]) => (
          <section key={flight} class="flight" aria-label={flightTitle(flight)}>
            <h4>
              <span>{flightTitle(flight)}</span>
            </h4>
            <ol>
              {records.map((rung) => (
                <Record key={rung.key} rung={rung} step={step} now={rung === now ? timeline.steps[step] : undefined} />
              ))}
            </ol>
          </section>
        ))}
      </div>
    </section>
  )
}

/** The record that a step is about: the one sent, or the last one that has arrived while its receiver works on it. */
function rungAt({ steps }: Timeline, rungs: readonly Rung[], step: number): Rung | undefined {
  const here = steps[step]
  if (here === undefined) return undefined
  const { happening, end } = here
  if (happening.type === "record" && happening.direction === "sent") return rungs.find(({ sentAt }) => sentAt === step)
  const last = rungs.findLast(({ wireAt }) => wireAt !== undefined && wireAt <= step)
  if (last === undefined || end === last.from || happening.type === "action") return undefined
  const isSending = (at: Step) =>
    at.end === end && "direction" in at.happening && at.happening.direction === "sent" && at.happening.type !== "keys"
  return steps.slice(last.wireAt, step + 1).some(isSending) ? undefined : last
}

function isAbout(now: Step | undefined, { name }: Inside): boolean {
  if (now === undefined) return false
  const { happening } = now
  return (
    (happening.type === "message" && happening.name === name) ||
    (happening.type === "state" && happening.message === name)
  )
}

function flightTitle(flight: number): string {
  const whole = Math.floor(flight / 2)
  if (flight === 0) return "At once"
  if (flight === 1) return "After half a round trip"
  return `After ${whole}${flight % 2 === 1 ? "½" : ""} round trip${flight === 2 ? "" : "s"}`
}

interface RecordProps {
  readonly rung: Rung
  readonly step: number
  /** The step, when it is about this record. */
  readonly now: Step | undefined
}

function Record({ rung, step, now }: RecordProps): JSX.Element {
  const { from, fate, wireAt, sentAt, inside, record } = rung
  const hasArrived = wireAt !== undefined && wireAt <= step
  const shown = hasArrived ? fate : fate === "injected" ? fate : "carried"
  const bytes = hasArrived && rung.arrives.length > 0 ? rung.arrives : rung.sent
  const isProtected = bytes[0] === 23
  const classes = ["rung", `from-${from}`, `fate-${shown}`, isProtected ? "is-sealed" : "is-clear"]
  if (now) classes.push("is-now")
  if (!hasArrived) classes.push("is-under-way")
  const look = hasArrived ? wireAt : sentAt
  return (
    <li class={classes.join(" ")}>
      <button type="button" class="record" onClick={() => go({ view: "bytes", look, field: undefined }, true)}>
        <span class="sr">From the {from}: </span>
        <b>{contentTypeName(bytes[0] ?? 0)}</b> <span class="quiet">{bytesText(bytes.length)}</span>
        {shown !== "carried" && <span class="fate">{fateTitle(shown)}</span>}
        {!hasArrived && <span class="fate">on its way</span>}
      </button>
      <span class="arrow" aria-hidden="true" />
      {isProtected && !seesInside.value ? (
        <p class="chips">
          <span class="chip is-unreadable">sealed</span>
        </p>
      ) : (
        <p class="chips">
          {inside.map((part) => (
            <Message key={part.step} part={part} isSealed={isProtected} isNow={isAbout(now, part)} />
          ))}
          {inside.length === 0 && record && <span class="chip">{contentText(rung)}</span>}
        </p>
      )}
    </li>
  )
}

interface MessageProps {
  readonly part: Inside
  readonly isSealed: boolean
  readonly isNow: boolean
}

function Message({ part, isSealed, isNow }: MessageProps): JSX.Element {
  return (
    <button
      type="button"
      class={`chip${isSealed ? " is-sealed" : ""}${isNow ? " is-read" : ""}`}
      onClick={() => go({ view: "bytes", look: part.step, field: undefined }, true)}
    >
      {messageTitle(part.name)}
      {part.part !== "whole" && ` (${part.part})`}
    </button>
  )
}

/** What is in a record that has no handshake message. */
function contentText({ record }: Rung): string {
  if (record === undefined) return ""
  const { innerType, content } = record
  if (innerType === 21) return `alert ${alertName(content[1] ?? 0)}`
  if (innerType === 20) return "means nothing"
  const packet = mqttPacketOf(content)
  return packet === undefined ? bytesText(content.length) : `MQTT ${packet.name}`
}
