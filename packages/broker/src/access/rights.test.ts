import { describe, expect, it } from "vitest"
import { type GivenRights, maximumFilters, maximumFilterText, readRights, rightsOf } from "./rights.ts"

const given = (publish: unknown, subscribe?: unknown): GivenRights => {
  const read = readRights(publish, subscribe)
  if (typeof read !== "object") throw new Error(read)
  return read
}
const names = { user: "ann", clientId: "c1" }

describe("what a login says that its client may do", () => {
  it("is nothing when it says nothing, and one list alone leaves the other empty", () => {
    expect(readRights(undefined, undefined)).toBeUndefined()
    expect(given(["a"])).toEqual({ publish: ["a"], subscribe: [] })
    expect(given(undefined, ["a"])).toEqual({ publish: [], subscribe: ["a"] })
  })

  it("fills in names; one that would match more than itself fills nothing", () => {
    const filters = given(["%u/x", "%c", "p/%u-%c/#"], ["%c/#"])
    const asked = (user: string, clientId: string) => {
      const rights = rightsOf(filters, { user, clientId })
      return [
        rights.allows("write", `${user}/x`),
        rights.allows("write", clientId),
        rights.allows("read", `${clientId}/#`),
      ]
    }
    expect(asked("ann", "c1")).toEqual([true, true, true])
    expect(rightsOf(filters, names).allows("write", "p/ann-c1/deep/er")).toBe(true)
    expect(rightsOf(filters, names).allows("write", "p/ann-c2")).toBe(false)
    for (const wide of ["", "+", "#", "a/b", "$SYS"]) {
      expect(asked(wide, wide)).toEqual([false, false, false])
      expect(asked(wide, "c1")).toEqual([false, true, true])
    }
    for (const topic of ["x/x", "bob/x"])
      expect(rightsOf(filters, { user: "+", clientId: "c" }).allows("write", topic)).toBe(false)
  })

  it("allows a subscription that one filter covers, and nothing that begins with $ by a wildcard", () => {
    const rights = rightsOf(given([], ["a/+", "b/#"]), names)
    const all = ["a/x", "a/+", "a/#", "a", "+/x", "b", "b/x/+", "#"].map((filter) => rights.allows("read", filter))
    expect(all).toEqual([true, true, false, false, false, true, true, false])
    const wide = rightsOf(given([], ["#"]), names)
    expect([wide.allows("read", "#"), wide.allows("read", "$SYS/#")]).toEqual([true, false])
  })

  it.each<[string, unknown, RegExp]>([
    ["no list", "a", /no list/],
    ["a number in it", [1], /no text/],
    ["no filter", ["a/#/b"], /publish: /],
    ["an empty one", [""], /publish: /],
    ["a shared one", ["$share/g/a"], /\$share/],
    ["half a character", ["\ud800"], /no text/],
    ["too long a one", ["a".repeat(maximumFilterText + 1)], /too long/],
  ])("is refused with %s", (_name, publish, problem) => {
    expect(readRights(publish, undefined)).toMatch(problem)
  })

  it("has 128 filters at most, and 8192 characters", () => {
    const filters = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`)
    expect(readRights(filters(100), filters(maximumFilters - 100))).toBeTypeOf("object")
    expect(readRights(filters(100), filters(maximumFilters - 99))).toMatch(/more than 128 Topic Filters, or 8192/)
    const long = (length: number) => ["a".repeat(length / 2), "a".repeat(length / 2)]
    expect(readRights(long(maximumFilterText), undefined)).toBeTypeOf("object")
    expect(readRights(long(maximumFilterText + 2), undefined)).toMatch(/8192/)
  })
})
