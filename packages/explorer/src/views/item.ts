// What is chosen in a view stands in the address, so that a link leads to it: a node of the key schedule, one who looks, a record.

import { address, go } from "../page/state.ts"

/** The parts of it, if they are this view's. */
export function itemOf(view: string): readonly string[] {
  const [of, ...parts] = (address.value.item ?? "").split("/")
  return of === view ? parts : []
}

export function chooseItem(view: string, ...parts: readonly string[]): void {
  go({ item: [view, ...parts].join("/") })
}
