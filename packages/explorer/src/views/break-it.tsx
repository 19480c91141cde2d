// What can be broken, who notices it by which line, and how far they would get if that check were not there.

import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import { alerts } from "../meanings.ts"
import { brought } from "../page/brought.ts"
import { runOf } from "../page/runs.ts"
import { address, chooseBreak, go, show } from "../page/state.ts"
import { missOf } from "../reading/meddled.ts"
import { type EndOutcome, type Outcome, outcomeOf } from "../reading/outcome.ts"
import { type Break, breaks } from "../run/breaks.ts"
import type { Meddling } from "../run/meddling.ts"
import { meddlingsOf } from "../run/meddling-text.ts"
import { endTitle } from "../words/names.ts"
import { Breakable } from "./breakable.tsx"
import { OnTheWay } from "./on-the-way.tsx"
import { Section } from "./section.tsx"
import { SourceCode } from "./source-code.tsx"
import type { ViewProps } from "./view.ts"

export function BreakIt({ timeline }: ViewProps): JSX.Element {
  if (brought.value !== undefined) return <NotHere />
  const { breaks: chosen, meddling } = address.value
  const broken = breaks.find(({ id }) => id === chosen)
  return (
    <div class="break-it">
      <section aria-labelledby="breaks-title">
        <h3 id="breaks-title">What could go wrong</h3>
        <div class="scrolls">
          <table class="breaks">
            <thead>
              <tr>
                <th scope="col">What is done</th>
                <th scope="col">Who notices</th>
                <th scope="col">Alert</th>
              </tr>
            </thead>
            <tbody>
              {breaks.map((row) => (
                <Row key={row.id} row={row} isChosen={row.id === chosen} />
              ))}
            </tbody>
          </table>
        </div>
        <OnTheWay timeline={timeline} />
      </section>
      <section class="verdict" aria-labelledby="verdict-title" aria-live="polite">
        {broken === undefined && meddling !== undefined ? (
          <Meddled timeline={timeline} meddlings={meddlingsOf(meddling)} />
        ) : broken === undefined ? (
          <>
            <h3 id="verdict-title">Choose one</h3>
            <p>
              Both ends run for real: what is broken is broken in the bytes, and the one who notices is the stack
              itself. The other views then show the broken run.
            </p>
          </>
        ) : (
          <Verdict key={broken.id} broken={broken} />
        )}
      </section>
    </div>
  )
}

/** What was brought has happened already. */
function NotHere(): JSX.Element {
  return (
    <section class="not-here" aria-labelledby="breaks-title">
      <h3 id="breaks-title">Not in what was brought</h3>
      <p>
        The connection that is shown has happened, and elsewhere: nothing can be changed in it any more. What is broken
        here is a run of this page. What was brought stays in <em>Bring your own</em>.
      </p>
      <p class="actions">
        <button type="button" onClick={() => show(undefined)}>
          Break a run of this page
        </button>
      </p>
    </section>
  )
}

/** What came of what was done on the way. */
function Meddled({
  timeline,
  meddlings,
}: Pick<ViewProps, "timeline"> & { readonly meddlings: readonly Meddling[] }): JSX.Element {
  const outcome = outcomeOf(timeline)
  const hasHit = meddlings.some((each) => missOf(timeline, each) === undefined)
  return (
    <>
      <h3 id="verdict-title">What comes of it</h3>
      {!hasHit ? (
        <p class="notice">Nothing was hit, so nothing is changed.</p>
      ) : outcome.noticed === undefined ? (
        <p class="notice">Nobody gives up: what was changed means nothing, or nothing came after it.</p>
      ) : (
        <NoticedBy noticed={outcome.noticed} />
      )}
      <div class="outcomes">
        <HowFar title="How far they get" outcome={outcome} />
      </div>
    </>
  )
}

function Row({ row, isChosen }: { readonly row: Break; readonly isChosen: boolean }): JSX.Element {
  const { id, title, noticed } = row
  return (
    <tr class={isChosen ? "is-chosen" : undefined}>
      <th scope="row">
        <button
          type="button"
          class="plain"
          aria-pressed={isChosen}
          onClick={() => chooseBreak(isChosen ? undefined : id)}
        >
          {title}
        </button>
      </th>
      {noticed === "goes on" ? (
        <td colSpan={2}>nobody has to: it goes on without</td>
      ) : (
        <>
          <td class={`of-${noticed.by}`}>{noticed.by}</td>
          <td class="mono">
            {noticed.alert ? <Breakable name={noticed.alert} /> : <span class="quiet">none is sent</span>}
          </td>
        </>
      )}
    </tr>
  )
}

/** Both runs of a break, as soon as they have been played. */
function useOutcomes(broken: Break): { readonly held?: Outcome; readonly cut?: Outcome } {
  const [outcomes, setOutcomes] = useState<{ readonly held?: Outcome; readonly cut?: Outcome }>({})
  const { seed, provider, without, meddling } = address.value
  useEffect(() => {
    let isWanted = true
    const run = { scenario: broken.scenario, seed, provider, breaks: broken.id, without: undefined, meddling }
    const show = (name: "held" | "cut") => (played: { readonly timeline: Parameters<typeof outcomeOf>[0] }) => {
      if (isWanted) setOutcomes((before) => ({ ...before, [name]: outcomeOf(played.timeline) }))
    }
    // The page says itself what went wrong when a run cannot be had.
    runOf(run).then(show("held"), () => {})
    if (without !== undefined) runOf({ ...run, without }).then(show("cut"), () => {})
    return () => {
      isWanted = false
    }
  }, [broken.id, seed, provider, without, meddling])
  return without === undefined ? { ...(outcomes.held && { held: outcomes.held }) } : outcomes
}

function Verdict({ broken }: { readonly broken: Break }): JSX.Element {
  const { held, cut } = useOutcomes(broken)
  const { without } = address.value
  return (
    <>
      <h3 id="verdict-title">{broken.title}</h3>
      <p class="about">{broken.about}</p>
      {held === undefined ? <p class="quiet">It is being played.</p> : <Noticed outcome={held} />}
      {broken.check === undefined ? (
        <p class="without">{broken.without}</p>
      ) : (
        <div class="actions">
          <button
            type="button"
            class="strong"
            aria-pressed={without !== undefined}
            onClick={() => chooseBreak(broken.id, without === undefined ? broken.check : undefined)}
          >
            {without === undefined ? "Without this check" : "Put the check back"}
          </button>
          {without !== undefined && <p class="without">{broken.without}</p>}
        </div>
      )}
      {held && (
        <div class="outcomes">
          <HowFar title={without === undefined ? "How far they get" : "With the check"} outcome={held} />
          {without !== undefined &&
            (cut ? <HowFar title="Without it" outcome={cut} /> : <p class="quiet">It is being played.</p>)}
        </div>
      )}
    </>
  )
}

function Noticed({ outcome: { noticed } }: { readonly outcome: Outcome }): JSX.Element {
  if (noticed === undefined) {
    return <p class="notice">Nobody gives up: it goes on, without what is in doubt.</p>
  }
  return <NoticedBy noticed={noticed} />
}

function NoticedBy({
  noticed: { by, failure, step },
}: {
  readonly noticed: NonNullable<Outcome["noticed"]>
}): JSX.Element {
  const { alert } = failure
  return (
    <>
      <p class="notice">
        <b class={`of-${by}`}>{endTitle(by)}</b> notices: {failure.message}.
      </p>
      <p>
        {alert === undefined ? (
          "It sends no alert: it only knows that the end is not the end."
        ) : (
          <>
            Its alert: <b class="alert mono">{alert}</b>
            {alertWords(alert) && <span class="quiet"> “{alertWords(alert)}”</span>}
          </>
        )}{" "}
        {failure.noticed?.section && <Section of={failure.noticed.section} />}{" "}
        <button
          type="button"
          class="link"
          onClick={() => go({ view: "ends", step, look: undefined, field: undefined }, true)}
        >
          See step {step + 1}
        </button>
      </p>
      {failure.noticed && <SourceCode site={failure.noticed} title="the line that refuses" />}
    </>
  )
}

function alertWords(name: string): string | undefined {
  return (alerts as Readonly<Record<string, string | undefined>>)[name]
}

function HowFar({ title, outcome }: { readonly title: string; readonly outcome: Outcome }): JSX.Element {
  return (
    <section class="how-far">
      <h4>{title}</h4>
      {(["client", "server"] as const).map((end) => (
        <End key={end} title={endTitle(end)} end={outcome[end]} className={`of-${end}`} />
      ))}
    </section>
  )
}

function End({
  title,
  end: { state, isConnected, failure, given },
  className,
}: {
  readonly title: string
  readonly end: EndOutcome
  readonly className: string
}): JSX.Element {
  return (
    <div class={`end-outcome ${className}`}>
      <b>{title}</b> {isConnected ? "is connected" : `gets to ${state}`}
      {failure ? `, and gives up${failure.alert ? ` with ${failure.alert}` : ""}` : ""}.
      {given.length > 0 && <> Its application gets {given.join(", ")}.</>}
    </div>
  )
}
