// What a login says that its client may do: the claims of a token, or the answer of a hook. Two lists of Topic Filters, in which
// %u is the user's name and %c the Client Identifier, filled once for each client. A name that would match more than itself
// fills no filter, as in the access control list.

import { PacketError } from "../packet/errors.ts"
import type { Rights } from "../ports/access.ts"
import { covers, matches, parseFilter } from "../routing/filter.ts"
import { fill, isTemplate, isWide, type Names } from "./rule-tree.ts"

/** Filters of both lists together, and UTF-16 units of all of them. */
export const maximumFilters = 128
export const maximumFilterText = 8192
/** As in the access control list. */
const maximumLevels = 128

/** Filters as somebody has written them. */
export interface GivenRights {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** Of two values that are to be lists of filters; undefined where both are absent. Otherwise a sentence says what is wrong. */
export function readRights(publish: unknown, subscribe: unknown): GivenRights | string | undefined {
  if (publish === undefined && subscribe === undefined) return undefined
  const lists: string[][] = []
  let [count, text] = [0, 0]
  for (const [name, value] of [["publish", publish ?? []] as const, ["subscribe", subscribe ?? []] as const]) {
    if (!Array.isArray(value)) return `what it may ${name} is no list of Topic Filters`
    const list: string[] = []
    for (const each of value as readonly unknown[]) {
      const problem = filterProblem(each)
      if (typeof each !== "string" || problem !== undefined) return `of what it may ${name}: ${problem}`
      count++
      text += each.length
      if (count > maximumFilters || text > maximumFilterText)
        return `it has more than ${maximumFilters} Topic Filters, or ${maximumFilterText} characters of them`
      list.push(each)
    }
    lists.push(list)
  }
  return { publish: lists[0] ?? [], subscribe: lists[1] ?? [] }
}

function filterProblem(value: unknown): string | undefined {
  if (typeof value !== "string" || /\p{Cs}/u.test(value)) return "something is no text"
  if (value.length > maximumFilterText) return "a Topic Filter is too long"
  try {
    const { shareName } = parseFilter(value, maximumLevels)
    return shareName === undefined ? undefined : "a filter begins with $share: give the filter behind the Share Name"
  } catch (error) {
    if (!(error instanceof PacketError)) throw error
    return error.message
  }
}

export function rightsOf({ publish, subscribe }: GivenRights, names: Names): Rights {
  return new LoginRights(filled(publish, names), filled(subscribe, names))
}

type Filters = readonly (readonly string[])[]

class LoginRights implements Rights {
  readonly #publish: Filters
  readonly #subscribe: Filters

  constructor(publish: Filters, subscribe: Filters) {
    this.#publish = publish
    this.#subscribe = subscribe
  }

  get size(): number {
    return this.#publish.length + this.#subscribe.length
  }

  allows(action: "read" | "write", text: string): boolean {
    if (action === "write") return this.#publish.some((filter) => matches(filter, text))
    const levels = text.split("/")
    return this.#subscribe.some((filter) => covers(filter, levels))
  }
}

function filled(filters: readonly string[], names: Names): Filters {
  return filters.flatMap((filter) => {
    if (!isTemplate(filter)) return [filter.split("/")]
    const isOpen = (filter.includes("%u") && isWide(names.user)) || (filter.includes("%c") && isWide(names.clientId))
    return isOpen ? [] : [fill(filter, names).split("/")]
  })
}
