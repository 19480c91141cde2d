// What happens, line by line, newest first. It can be held, to be read.

import { type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { clock } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import { events, eventsProblem } from "../live/broker.ts"
import type { Happened } from "../live/happened.ts"
import { eventText, toneOf } from "../words/refusals.ts"

const held: Signal<readonly Happened[] | undefined> = signal(undefined)

interface Props {
  /** Those of one client. */
  readonly clientId?: string
}

export function Events({ clientId }: Props): JSX.Element {
  const isHeld = held.value !== undefined
  const all = held.value ?? events.value
  const lines = clientId === undefined ? all : all.filter((line) => line["clientId"] === clientId)
  return (
    <section class="card" aria-label="Live events">
      <header>
        <h2>Live events</h2>
        <button
          type="button"
          class="small"
          aria-pressed={isHeld}
          onClick={() => (held.value = isHeld ? undefined : events.value)}
        >
          {isHeld ? "Go on" : "Hold"}
        </button>
      </header>
      {eventsProblem.value !== undefined && (
        <p class="quiet" role="status">
          They do not come at the moment. {eventsProblem.value}
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <ol class="events is-short" tabIndex={0} aria-label="Events, newest first">
        {lines.length === 0 && <li class="quiet">Nothing has happened since this page was opened.</li>}
        {lines.map((line) => (
          <Row key={line.id} line={line} />
        ))}
      </ol>
    </section>
  )
}

function Row({ line }: { readonly line: Happened }): JSX.Element {
  const tone = toneOf(line.event)
  return (
    <li>
      <time dateTime={line.time}>{clock(Date.parse(line.time))}</time>
      <span>
        {tone === "plain" ? <b>{shown(line.event)}</b> : <b class={`tag is-${tone}`}>{shown(line.event)}</b>}{" "}
        <bdi class="sent">{eventText(line)}</bdi>
      </span>
    </li>
  )
}
