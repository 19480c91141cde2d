import { describe, expect, it } from "vitest"
import { AdminWorld } from "../../../tests/admin-world.ts"
import { aheadOf, brokerTime } from "../times.ts"
import { ByteParts } from "./byte-parts.ts"
import { cursorOf, placeOf } from "./cursor.ts"

describe("a cursor", () => {
  it.each([
    ["", ""],
    ["a", "b"],
    ["a/ü\u{1f600}\u0001", "x"],
    ["x".repeat(65_535), "y"],
  ])("is its place", (...place) => {
    const cursor = cursorOf("list", place)!
    expect(cursor).toMatch(/^[\w-]+$/)
    expect(placeOf("list", cursor, 2)).toEqual(place)
    for (const [list, length] of [
      ["other", 2],
      ["list", 1],
      ["list", 3],
    ] as const)
      expect(() => placeOf(list, cursor, length)).toThrow(/cursor is none of this list/)
  })

  it.each(["", "%", "AAAA", "a".repeat(1000)])("%j is none", (text) => {
    expect(() => placeOf("list", text, 1)).toThrow(/cursor is none/)
  })
})

describe("a topic as long as there may be", () => {
  it("does not stop the pages, and can be read and taken away", async () => {
    const world = await AdminWorld.start()
    try {
      const long = `kept/${"aü".repeat(21_000)}`
      for (const topic of ["kept/a", long, "kept/z"]) world.broker.publish(topic, "x", { retain: true })
      const topics: string[] = []
      let next: string | undefined = ""
      while (next !== undefined) {
        const query: string = next === "" ? "" : `&cursor=${next}`
        const page = (await world.get(`/retained?topic=kept&limit=1${query}`)) as {
          items: { topic: string }[]
          next?: string
        }
        topics.push(...page.items.map(({ topic }) => topic))
        next = page.next
      }
      expect(topics).toEqual(["kept/a", long, "kept/z"])
      const path = `/api/v1/retained-message?topic=${encodeURIComponent(long)}`
      expect((await world.ask("GET", path)).status).toBe(200)
      expect((await world.ask("DELETE", path)).status).toBe(200)
      expect((await world.ask("GET", path)).status).toBe(404)
    } finally {
      await world.close()
    }
  })
})

describe("a time of the broker's clock", () => {
  it("is told the same each time, until the machine's clock is set", () => {
    let [now, wall] = [0, 1_000_000]
    const ahead = aheadOf(
      () => now,
      () => wall,
    )
    const told = brokerTime(500, { ahead })
    // The one counts whole milliseconds, the other fractions.
    for (const [passed, shown] of [
      [0.4, 0],
      [1.6, 2],
      [2.9, 1],
    ] as const) {
      now += passed
      wall += shown
      expect(brokerTime(500, { ahead })).toBe(told)
    }
    wall += 3_600_000
    expect(Date.parse(brokerTime(500, { ahead })) - Date.parse(told)).toBeGreaterThan(3_599_000)
  })
})

describe("bytes in parts", () => {
  it.each([1, 2, 3, 4, 5, 7, 1000])("of %i are what they are together", (size) => {
    const whole = Buffer.from(`${"x".repeat(300)}\r\n\r\n${"y".repeat(50)}\r\n\r\nz`)
    const parts = new ByteParts()
    for (let at = 0; at < whole.length; at += size) {
      parts.add(whole.subarray(at, at + size))
      expect(parts.endOfHead).toBe(Math.min(whole.length, at + size) >= 304 ? 304 : undefined)
    }
    expect(parts.length).toBe(whole.length)
    expect(parts.take(304).toString()).toBe(whole.toString("utf8", 0, 304))
    expect(parts.endOfHead).toBe(54)
    expect(parts.text(50)).toBe("y".repeat(50))
    parts.clear()
    expect([parts.length, parts.endOfHead]).toEqual([0, undefined])
  })
})
