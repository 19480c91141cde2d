// What is around every view: which run, which step, which view.

import { signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import { missOf } from "../reading/meddled.ts"
import { breakOf } from "../run/breaks.ts"
import { meddlingsOf, meddlingWords } from "../run/meddling-text.ts"
import { scenarioOf, scenarios } from "../run/scenarios.ts"
import { Breakable } from "../views/breakable.tsx"
import { LessonBar } from "../views/lesson-bar.tsx"
import { Section } from "../views/section.tsx"
import type { View } from "../views/view.ts"
import { views } from "../views/views.ts"
import { ownerOf, sentenceOf } from "../words/sentence.ts"
import { hashOf, home, providerNames, unknownIn } from "./address.ts"
import { Boundary } from "./boundary.tsx"
import { brought } from "./brought.ts"
import { focusView } from "./focus.ts"
import { Help } from "./help.tsx"
import { viewKeys } from "./keyboard.ts"
import { Player } from "./player.tsx"
import {
  address,
  chooseBreak,
  chooseScenario,
  computing,
  givenHash,
  go,
  helpIsOpen,
  problem,
  run,
  select,
  show,
  step,
  timeline,
} from "./state.ts"

export function Shell(): JSX.Element {
  const view = viewOf(address.value.view)
  const title = `${view.title}: ${runTitle()} · TLS 1.3 explorer`
  useLayoutEffect(() => {
    document.title = title
  }, [title])
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("view")?.focus()}>
        To the view
      </button>
      <Head />
      <main>
        <Unknown />
        <LessonBar />
        <Broken />
        <Brought />
        <Now />
        <Tabs chosen={view} />
        <div
          class={computing.value ? "view is-stale" : "view"}
          role="tabpanel"
          id="view"
          aria-labelledby={`tab-${view.id}`}
          tabIndex={-1}
        >
          {timeline.value && (
            <Boundary of={hashOf(address.value)}>
              <view.component timeline={timeline.value} step={step.value} select={select} />
            </Boundary>
          )}
        </div>
      </main>
      <Player />
      <Help />
    </>
  )
}

function viewOf(id: string): View {
  return views.find((view) => view.id === id) ?? views.find((view) => view.id === home.view)!
}

/** What the address names and there is not: what is shown is something else. */
function Unknown(): JSX.Element | null {
  const unknown = unknownIn(
    givenHash.value,
    views.map(({ id }) => id),
  )
  if (unknown.length === 0) return null
  return (
    <p class="broken is-whole" role="status">
      <button type="button" onClick={() => (givenHash.value = "")}>
        Close
      </button>
      There is {unknown.join(" and ")}, as the address has it: this is {viewOf(address.value.view).title}, {runTitle()}.
    </p>
  )
}

/* ---------------------------------------------------------------- which run */

/** As the browser's tab, bookmarks and history call it. */
function runTitle(): string {
  if (brought.value !== undefined) return brought.value.title
  const { scenario, breaks } = address.value
  return breaks === undefined ? scenarioOf(scenario).title : breakOf(breaks).title
}

function Head(): JSX.Element {
  const { scenario, provider } = address.value
  const isBrought = brought.value !== undefined
  return (
    <header class="head">
      <h1>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path class="of-client" d="M5 11h17M18 6l6 5-6 5" />
          <path class="of-server" d="M27 21H10M14 16l-6 5 6 5" />
        </svg>
        TLS 1.3 explorer
      </h1>
      <form class="run" onSubmit={(event) => event.preventDefault()}>
        <label class="grow">
          <span>Scenario</span>
          <select
            value={isBrought ? "" : scenario}
            onChange={(event) => event.currentTarget.value !== "" && chooseScenario(event.currentTarget.value)}
          >
            {isBrought && <option value="">None: a connection that was brought</option>}
            {scenarios.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <SeedField />
        <fieldset class="segments">
          <legend>Cryptography</legend>
          {providerNames.map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="provider"
                checked={name === provider}
                disabled={isBrought}
                onChange={() => go({ provider: name }, true)}
              />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
        <CopyLink />
        <button
          type="button"
          class="round"
          aria-label="Help"
          title="Help (?)"
          onClick={() => (helpIsOpen.value = true)}
        >
          ?
        </button>
      </form>
      <SeedRefused />
    </header>
  )
}

const mostSeed = 0xffff_ffff
/** What somebody wrote into the field that is no seed, and the seed that stays. */
const refusedSeed = signal<{ readonly text: string; readonly stays: number } | undefined>(undefined)

function SeedField(): JSX.Element {
  const { seed } = address.value
  const take = (field: HTMLInputElement) => {
    const text = field.value.trim()
    const value = Number(text)
    if (text !== "" && Number.isInteger(value) && value >= 0 && value <= mostSeed) {
      refusedSeed.value = undefined
      go({ seed: value }, true)
    } else refusedSeed.value = { text, stays: seed }
    // Also where the seed is the same as before, and nothing is drawn anew.
    field.value = String(address.peek().seed)
  }
  return (
    <label>
      <span>Seed</span>
      <input
        type="number"
        min={0}
        max={mostSeed}
        value={brought.value === undefined ? seed : ""}
        disabled={brought.value !== undefined}
        onChange={(event) => take(event.currentTarget)}
        aria-describedby="seed-refused"
      />
    </label>
  )
}

function SeedRefused(): JSX.Element {
  const refused = refusedSeed.value
  const { seed } = address.value
  const isShown = refused !== undefined && refused.stays === seed
  return (
    <p class={isShown ? "refused" : "sr"} id="seed-refused" role="alert">
      {isShown &&
        `${refused.text === "" ? "That" : `“${refused.text}”`} is no seed: a whole number from 0 to ${mostSeed.toLocaleString("en")}. It stays ${seed}.`}
    </p>
  )
}

const copied = signal(false)

function CopyLink(): JSX.Element {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(new URL(hashOf(address.peek()), location.href).href)
      copied.value = true
      setTimeout(() => (copied.value = false), 2_000)
    } catch {
      // No clipboard here: the address bar has the link.
    }
  }
  return (
    <button
      type="button"
      onClick={copy}
      disabled={brought.value !== undefined}
      title={
        brought.value === undefined
          ? "A link to this step of this run"
          : "What was brought is in this page alone: no link leads to it"
      }
    >
      {copied.value ? "Copied" : "Copy link"}
    </button>
  )
}

function Brought(): JSX.Element | null {
  if (brought.value === undefined) return null
  return (
    <p class="broken is-brought">
      <button type="button" onClick={() => show(undefined)}>
        Back to the scenarios
      </button>
      <b>Brought:</b> {brought.value.title}
    </p>
  )
}

function Broken(): JSX.Element | null {
  const { breaks, without, meddling } = address.value
  if (brought.value !== undefined || (breaks === undefined && meddling === undefined)) return null
  const done = meddlingsOf(meddling ?? "")
  // Whether something was hit shows in the run that is meant, and not in the one before it.
  const played = computing.value ? undefined : timeline.value
  const misses = done.flatMap((each) => (played && missOf(played, each)) ?? [])
  const isWhole = breaks === undefined && misses.length === done.length
  return (
    <p class={isWhole ? "broken is-whole" : "broken"}>
      <button type="button" onClick={() => chooseBreak(undefined)}>
        {isWhole ? "Leave it" : "Mend it"}
      </button>
      {isWhole ? (
        <b>Nothing was hit:</b>
      ) : (
        <>
          <b>Broken:</b>{" "}
          {[
            ...(breaks === undefined ? [] : [breakOf(breaks).title]),
            ...done.filter((each) => played === undefined || missOf(played, each) === undefined).map(meddlingWords),
          ].join("; ")}
          {misses.length > 0 && "; nothing else was hit:"}
        </>
      )}
      {misses.length > 0 && ` ${misses.join("; ")}`}
      {without !== undefined && (
        <>
          , and the check <code>{without}</code> is left out
        </>
      )}
    </p>
  )
}

/* ---------------------------------------------------------------- which step */

function Now(): JSX.Element {
  const { scenario } = address.value
  const { about, source, title } = scenarioOf(scenario)
  const here = timeline.value?.steps[step.value]
  if (problem.value !== undefined) {
    return (
      <p class="now problem" role="alert">
        {problem.value}
      </p>
    )
  }
  const sentence = here && sentenceOf(here)
  return (
    <section class={`now of-${here?.end ?? "wire"}`} aria-label="This step">
      <p class="scenario">
        {brought.value === undefined ? (
          <>
            <b>{title}.</b> {about} <Section of={/^(section|appendix)/.test(source) ? `RFC 9846 ${source}` : source} />
          </>
        ) : (
          "As far as its bytes and the secrets that are known tell."
        )}
        <span class="state" role="status">
          {computing.value
            ? "computing …"
            : run.value && brought.value === undefined
              ? `played in ${Math.round(run.value.milliseconds)} ms`
              : ""}
        </span>
      </p>
      <div class="sentence">
        <h2>
          <span class="owner">{here ? ownerOf(here) : " "}</span>
          <Breakable name={sentence?.text ?? "Keys are made, and both ends run once."} />
        </h2>
        <p class="why">
          {sentence?.why} {sentence && <Section of={sentence.section} />}
        </p>
      </div>
      <p class="sr" aria-live="polite" id="announcement">
        {here && sentence
          ? `Step ${here.index + 1} of ${timeline.value!.steps.length}. ${sentence.text} ${sentence.why}`
          : ""}
      </p>
    </section>
  )
}

/* ---------------------------------------------------------------- which view */

function Tabs({ chosen }: { readonly chosen: View }): JSX.Element {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" })
  }, [chosen])
  const onKeyDown = (event: KeyboardEvent) => {
    const at = views.indexOf(chosen)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: views.length - 1 }[event.key]
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const view = views[(to + views.length) % views.length]!
    go({ view: view.id }, true)
    list.current?.querySelector<HTMLElement>(`#tab-${view.id}`)?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label="Views" ref={list} onKeyDown={onKeyDown}>
      {views.map(({ id, title }, at) => (
        <button
          key={id}
          type="button"
          role="tab"
          title={`${title} (${viewKeys[at]})`}
          aria-keyshortcuts={viewKeys[at]}
          id={`tab-${id}`}
          aria-selected={id === chosen.id}
          aria-controls="view"
          tabIndex={id === chosen.id ? 0 : -1}
          onClick={(event) => {
            go({ view: id }, true)
            // Who presses with a pointer does not choose among the tabs with the arrows: these go on with the steps.
            if (event.detail > 0) focusView()
          }}
        >
          {title}
        </button>
      ))}
    </div>
  )
}
