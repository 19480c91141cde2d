// What the page shows, as it stands behind the # of its address: whoever opens the link sees the same bytes.

import { breaks } from "../run/breaks.ts"
import { meddlingsOf, textOfMeddlings } from "../run/meddling-text.ts"
import { scenarios } from "../run/scenarios.ts"

export const providerNames = ["noble", "fast"] as const
export type ProviderName = (typeof providerNames)[number]

/** Which run. */
export interface RunAddress {
  readonly scenario: string
  /** 0 to 2^32-1. */
  readonly seed: number
  readonly provider: ProviderName
  readonly breaks: string | undefined
  /** A check that is left out. */
  readonly without: string | undefined
  /** What somebody does to the records on their way: see run/meddling-text.ts. */
  readonly meddling: string | undefined
}

export interface Address extends RunAddress {
  readonly view: string
  /** The last step that is shown; undefined: where the scenario's subject begins. */
  readonly step: number | undefined
  /** The step whose bytes are looked at; undefined: those of the step. */
  readonly look: number | undefined
  /** Bytes `start-end` of them. */
  readonly field: string | undefined
  /** What is chosen in the view, by the view's own names with a slash between them. */
  readonly item: string | undefined
  /** The lesson that is open: it stays so in the other views, to which it leads. */
  readonly lesson: string | undefined
}

export const home: Address = {
  scenario: "full",
  seed: 1,
  provider: "noble",
  breaks: undefined,
  without: undefined,
  meddling: undefined,
  view: "ends",
  step: undefined,
  look: undefined,
  field: undefined,
  item: undefined,
  lesson: undefined,
}

/** Whatever is in the text: what makes no sense counts as not said. */
export function addressOf(hash: string): Address {
  const said = new URLSearchParams(hash.replace(/^#/, ""))
  const number = (name: string, most: number) => {
    const text = said.get(name) ?? ""
    return /^\d+$/.test(text) && Number(text) <= most ? Number(text) : undefined
  }
  const broken = breaks.find(({ id }) => id === said.get("break"))
  const scenario = broken ?? scenarios.find(({ id }) => id === said.get("scenario"))
  return {
    // A break has its scenario.
    scenario: scenario === undefined ? home.scenario : "scenario" in scenario ? scenario.scenario : scenario.id,
    seed: number("seed", 0xffff_ffff) ?? home.seed,
    provider: providerNames.find((name) => name === said.get("provider")) ?? home.provider,
    breaks: broken?.id,
    without: broken?.check !== undefined && said.get("without") === broken.check ? broken.check : undefined,
    meddling: textOfMeddlings(meddlingsOf(said.get("meddling") ?? "")) || undefined,
    view: said.get("view") ?? home.view,
    step: number("step", 1_000_000),
    look: number("look", 1_000_000),
    field: /^\d+-\d+$/.exec(said.get("field") ?? "")?.[0],
    item: /^[\w ./-]{1,100}$/.exec(said.get("item") ?? "")?.[0],
    lesson: /^[a-z0-9-]{1,40}$/.exec(said.get("lesson") ?? "")?.[0],
  }
}

/** What an address names that there is not, in a line each. @param views ids of the tabs */
export function unknownIn(hash: string, views: readonly string[]): readonly string[] {
  const said = new URLSearchParams(hash.replace(/^#/, ""))
  const known: readonly (readonly [name: string, all: readonly string[]])[] = [
    ["scenario", scenarios.map(({ id }) => id)],
    ["break", breaks.map(({ id }) => id)],
    ["view", views],
    ["provider", providerNames],
  ]
  return known.flatMap(([name, all]) => {
    const value = said.get(name)
    return value === null || all.includes(value) ? [] : [`no ${name} “${value.slice(0, 40)}”`]
  })
}

export function hashOf(address: Address): string {
  const { scenario, seed, step, breaks: broken, without, meddling, provider, view, look, field, item, lesson } = address
  const run = { scenario, seed, step, break: broken, without, meddling, provider }
  const said = Object.entries({ ...run, view, look, field, item, lesson })
  return `#${said
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value!)}`)
    .join("&")}`
}
