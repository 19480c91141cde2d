// Finds in a run what a link means, and writes it as an address. A link whose step is not there is a defect of the lesson.

import { type Address, hashOf, home, type RunAddress } from "../page/address.ts"
import type { Field } from "../recording/spans.ts"
import { scenarioOf } from "../run/scenarios.ts"
import type { Step, Timeline } from "../run/step.ts"
import type { Link } from "./lesson.ts"

/** Which run it leads to, for a page that shows this one. */
export function runOfLink({ scenario, breaks, without, seed }: Link, page: RunAddress): RunAddress {
  return { scenario, breaks, without, meddling: undefined, seed: seed ?? page.seed, provider: page.provider }
}

/** The step that is meant; undefined: there is none. */
export function stepOf({ scenario, wanted }: Pick<Link, "scenario" | "wanted">, { steps }: Timeline): Step | undefined {
  const { of, connection = scenarioOf(scenario).focus ?? 0, which = "first", ...happening } = wanted
  const fits = (step: Step) =>
    step.connection === connection &&
    (of === undefined || of === (step.end ?? "wire")) &&
    contains(step.happening, happening)
  return which === "last" ? steps.findLast(fits) : steps.find(fits)
}

function contains(value: unknown, part: unknown): boolean {
  if (typeof part !== "object" || part === null) return value === part
  if (typeof value !== "object" || value === null) return false
  const values = value as Readonly<Record<string, unknown>>
  return Object.entries(part).every(([name, inside]) => contains(values[name], inside))
}

/** The field that is meant, by its bytes (`178-214`); undefined: there is none. */
export function fieldOf({ field }: Link, { happening }: Step): string | undefined {
  if (field === undefined || happening.type !== "message") return undefined
  const find = (fields: readonly Field[]): Field | undefined => {
    for (const one of fields) {
      // A structure of one number has no name for it.
      if (`${one.structure}.${one.name || "value"}` === field && one.kind !== "length") return one
      const inside = find(one.fields)
      if (inside) return inside
    }
    return undefined
  }
  const found = find(happening.fields)
  return found && `${found.start}-${found.end}`
}

/** @param timeline of the run; undefined: it is not known yet, and the address leads to where the run begins */
export function addressOfLink(
  link: Link,
  timeline: Timeline | undefined,
  page: RunAddress & Pick<Address, "lesson">,
): Address {
  const step = timeline && stepOf(link, timeline)
  return {
    ...home,
    ...runOfLink(link, page),
    view: link.view,
    step: step?.index,
    field: step && fieldOf(link, step),
    item: link.item,
    lesson: page.lesson,
  }
}

export function hashOfLink(...args: Parameters<typeof addressOfLink>): string {
  return hashOf(addressOfLink(...args))
}
