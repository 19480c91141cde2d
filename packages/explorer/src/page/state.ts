// The state of the page: its address, the run that the address means, and the step that is shown. All else is computed from them.

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import { breakOf } from "../run/breaks.ts"
import type { Meddling } from "../run/meddling.ts"
import { textOfMeddlings } from "../run/meddling-text.ts"
import { scenarioOf } from "../run/scenarios.ts"
import type { Timeline } from "../run/step.ts"
import { type Address, addressOf, hashOf, type RunAddress } from "./address.ts"
import { type BroughtConnection, brought } from "./brought.ts"
import { type Run, runKey, runOf } from "./runs.ts"

/** Browsers refuse more than some changes of the address a second: who holds a key down changes it faster. */
class AddressBar {
  #waiting: ReturnType<typeof setTimeout> | undefined

  writeSoon(): void {
    this.#waiting ??= setTimeout(() => this.write(false), 150)
  }

  write(entry: boolean): void {
    this.forget()
    const hash = hashOf(address.peek())
    if (hash === location.hash) return
    if (entry) history.pushState(null, "", hash)
    else history.replaceState(null, "", hash)
  }

  /** What is written there by somebody else counts. */
  forget(): void {
    clearTimeout(this.#waiting)
    this.#waiting = undefined
  }
}

const addressBar: AddressBar = new AddressBar()

export const address: Signal<Address> = signal(addressOf(location.hash))
export const run: Signal<Run | undefined> = signal(undefined)
/** Of which address `run` is. */
const runOfKey: Signal<string> = signal("")
export const problem: Signal<string | undefined> = signal(undefined)
export const playing: Signal<boolean> = signal(false)
/** The address as somebody has written it: what it names may not be there. */
export const givenHash: Signal<string> = signal(location.hash)
export const helpIsOpen: Signal<boolean> = signal(false)

const wantedKey: ReadonlySignal<string> = computed(() => runKey(address.value))

/** Whether another run is on its way than is shown. */
export const computing: ReadonlySignal<boolean> = computed(
  () => brought.value === undefined && problem.value === undefined && runOfKey.value !== wantedKey.value,
)

export const timeline: ReadonlySignal<Timeline | undefined> = computed(
  () => brought.value?.timeline ?? run.value?.timeline,
)

/** The last step that is shown. */
export const step: ReadonlySignal<number> = computed(() => {
  const steps = timeline.value?.steps
  if (steps === undefined || steps.length === 0) return 0
  const beginning = brought.value === undefined ? beginningOf(address.value, timeline.value!) : 0
  return Math.min(address.value.step ?? beginning, steps.length - 1)
})

/** Where the connection begins that the scenario is about; of a break, where it is noticed, or the end. */
function beginningOf({ scenario, breaks, meddling }: RunAddress, { steps }: Timeline): number {
  if (breaks !== undefined || meddling !== undefined) {
    const noticed = steps.findIndex(({ happening }) => happening.type === "failed")
    return noticed < 0 ? steps.length - 1 : noticed
  }
  const { focus = 0 } = scenarioOf(scenario)
  return Math.max(
    0,
    steps.findIndex(({ connection }) => connection === focus),
  )
}

/** Changes the address. `entry`: the browser's way back leads to what was before. */
export function go(change: Partial<Address>, entry = false): void {
  const next = { ...address.value, ...change }
  // Another run was asked for: what was brought makes room for it.
  if (runKey(next) !== runKey(address.value)) brought.value = undefined
  address.value = next
  // Who chooses something has gone on from what the address named.
  if (entry) givenHash.value = ""
  if (entry) addressBar.write(true)
  else addressBar.writeSoon()
}

export function chooseScenario(scenario: string): void {
  playing.value = false
  brought.value = undefined
  go(
    {
      scenario,
      breaks: undefined,
      without: undefined,
      meddling: undefined,
      step: undefined,
      look: undefined,
      field: undefined,
    },
    true,
  )
}

/** A break; undefined: nothing is broken. */
export function chooseBreak(id: string | undefined, without?: string): void {
  playing.value = false
  brought.value = undefined
  const scenario = id === undefined ? address.value.scenario : breakOf(id).scenario
  go({ scenario, breaks: id, without, meddling: undefined, step: undefined, look: undefined, field: undefined }, true)
}

/** Does this to the records on their way, beside a break that is chosen. */
export function meddle(meddlings: readonly Meddling[]): void {
  playing.value = false
  brought.value = undefined
  const meddling = meddlings.length > 0 ? textOfMeddlings(meddlings) : undefined
  go({ meddling, step: undefined, look: undefined, field: undefined }, true)
}

/** Shows a connection that was brought; undefined: the scenario again. */
export function show(connection: BroughtConnection | undefined): void {
  playing.value = false
  brought.value = connection
  go({ step: connection === undefined ? undefined : 0, look: undefined, field: undefined })
}

export function select(to: number): void {
  const last = (timeline.value?.steps.length ?? 1) - 1
  go({ step: Math.max(0, Math.min(last, to)), look: undefined, field: undefined })
}

/** The step `by` further on. */
export function move(by: number): void {
  select(step.value + by)
}

/** The first step of the next half round trip, or of the one before. */
export function moveFlight(by: 1 | -1): void {
  const steps = timeline.value?.steps ?? []
  const starts = steps.flatMap(({ connection, flight }, index) => {
    const before = steps[index - 1]
    return before === undefined || before.connection !== connection || before.flight !== flight ? [index] : []
  })
  const here = step.value
  const to = by > 0 ? starts.find((start) => start > here) : starts.findLast((start) => start < here)
  select(to ?? (by > 0 ? steps.length - 1 : 0))
}

/** Keeps the run at what the address says, and the address at what the page shows. */
export function follow(): void {
  const read = () => {
    addressBar.forget()
    const hash = addressOf(location.hash)
    if (location.hash !== hashOf(address.value)) givenHash.value = location.hash
    if (hashOf(hash) === hashOf(address.value)) return
    if (runKey(hash) !== runKey(address.value)) brought.value = undefined
    address.value = hash
  }
  addEventListener("popstate", read)
  addEventListener("hashchange", read)
  effect(() => {
    const key = wantedKey.value
    problem.value = undefined
    runOf(address.peek()).then(
      (played) => {
        if (key !== wantedKey.peek()) return
        run.value = played
        runOfKey.value = key
        // The step is said in the address as soon as it is known.
        go({ step: step.peek() })
      },
      (error: Error) => {
        if (key === wantedKey.peek()) problem.value = error.message
      },
    )
  })
}
