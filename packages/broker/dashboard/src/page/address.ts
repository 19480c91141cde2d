// Which view is shown, and of what: in the address, so that Back works and a view can be bookmarked.

import { type Signal, signal } from "@preact/signals"

export interface Address {
  readonly view: string
  readonly given: Readonly<Record<string, string>>
}

export const address: Signal<Address> = signal(read())

export function followAddress(): void {
  addEventListener("hashchange", () => (address.value = read()))
}

export function hrefOf(view: string, given: Readonly<Record<string, string | undefined>> = {}): string {
  const present = Object.entries(given).filter((each): each is [string, string] => (each[1] ?? "") !== "")
  const query = new URLSearchParams(present).toString()
  return `#/${view}${query === "" ? "" : `?${query}`}`
}

/** Changes what the address says without a step to go back to. */
export function amend(given: Readonly<Record<string, string | undefined>>): void {
  const { view, given: before } = address.value
  history.replaceState(null, "", hrefOf(view, { ...before, ...given }))
  address.value = read()
}

function read(): Address {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?")
  return { view: path === "" ? "overview" : path, given: Object.fromEntries(new URLSearchParams(query)) }
}
