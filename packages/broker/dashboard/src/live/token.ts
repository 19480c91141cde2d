// Who looks: a token, in memory; in the tab's session storage where that is wished for, which ends with the tab.

import { type Signal, signal } from "@preact/signals"

const place = "puremq-token"

export const token: Signal<string | undefined> = signal(kept())
/** Why the last one was given back. */
export const tokenProblem: Signal<string | undefined> = signal(undefined)

export function takeToken(given: string, keep: boolean): void {
  tokenProblem.value = undefined
  token.value = given
  inStorage((storage) => (keep ? storage.setItem(place, given) : storage.removeItem(place)))
}

/** @param problem why it is no good; undefined: its owner has signed out */
export function forgetToken(problem?: string): void {
  inStorage((storage) => storage.removeItem(place))
  tokenProblem.value = problem
  token.value = undefined
}

function kept(): string | undefined {
  return inStorage((storage) => storage.getItem(place)) ?? undefined
}

/** A browser may refuse it. */
function inStorage<Result>(work: (storage: Storage) => Result): Result | undefined {
  try {
    return work(sessionStorage)
  } catch {
    return undefined
  }
}
