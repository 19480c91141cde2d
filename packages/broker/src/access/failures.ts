// How often logins failed lately, by address and by user, and how long the next one has to wait for that. An address
// waits only for failures of its own: whoever fails from elsewhere cannot keep a user out.

/** Failures that cost nothing: somebody mistypes. */
const freeFailures = 5
/** Milliseconds of the first wait; each further failure doubles it. */
const firstDelay = 100
/** Milliseconds, the longest wait. */
export const maximumDelay = 1000
/** Milliseconds without failure after which an address or a user has a clean slate. */
export const forgetAfter = 60_000
/** Addresses, and users, that are remembered; the one that failed longest ago is forgotten first. */
const maximumEntries = 4096

interface Failed {
  count: number
  last: number
}

export class Failures {
  readonly #byAddress: Map<string, Failed> = new Map()
  readonly #byUser: Map<string, Failed> = new Map()

  failedFrom(address: string, now: number): void {
    count(this.#byAddress, address, now)
  }

  failedAs(user: string, now: number): void {
    count(this.#byUser, user, now)
  }

  /** True when a login from this address has failed lately. */
  any(address: string, now: number): boolean {
    return lately(this.#byAddress, address, now) > 0
  }

  /** Milliseconds that a login of this user from this address waits before it is looked at. */
  delay(address: string, user: string, now: number): number {
    const own = lately(this.#byAddress, address, now)
    if (own === 0) return 0
    return delayAfter(Math.max(own, lately(this.#byUser, user, now)))
  }
}

function count(table: Map<string, Failed>, name: string, now: number): void {
  const failed = { count: lately(table, name, now) + 1, last: now }
  table.delete(name) // so that the order of the table is that of the last failures
  if (table.size >= maximumEntries) {
    const oldest = table.keys().next()
    if (oldest.done !== true) table.delete(oldest.value)
  }
  table.set(name, failed)
}

function lately(table: ReadonlyMap<string, Failed>, name: string, now: number): number {
  const failed = table.get(name)
  return failed === undefined || now - failed.last >= forgetAfter ? 0 : failed.count
}

function delayAfter(failures: number): number {
  const paid = failures - freeFailures
  return paid <= 0 ? 0 : Math.min(maximumDelay, firstDelay * 2 ** Math.min(paid - 1, 16))
}
