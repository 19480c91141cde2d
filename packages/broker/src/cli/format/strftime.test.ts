// Beside date(1), which has the strftime of the C library.

import { spawnSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { strftime } from "./strftime.ts"

const letters = [..."aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%"]
const moments = [
  ...["2026-11-29T01:44:18Z", "2024-02-29T23:59:59Z", "2027-01-01T00:00:00Z", "2026-01-03T12:00:00Z"],
  ...["2021-01-03T13:05:09Z", "2018-12-31T00:30:00Z", "1999-12-31T11:59:00Z", "2026-03-29T01:30:00Z"],
]

const zone = process.env["TZ"]
const inZone = <T>(name: string, work: () => T): T => {
  process.env["TZ"] = name
  try {
    return work()
  } finally {
    if (zone === undefined) delete process.env["TZ"]
    else process.env["TZ"] = zone
  }
}

const isGnu = spawnSync("date", ["--version"], { encoding: "utf8" }).stdout?.includes("GNU") ?? false

describe("strftime", () => {
  // "SST" has no short name in JavaScript, which says GMT+5:30.
  it.skipIf(!isGnu).each(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata"])("is that of C in %s", (name) => {
    const [shown, wanted] = inZone(name, () => {
      const known = letters.filter((letter) => letter !== "Z" || name === "UTC" || name === "Europe/Berlin")
      const format = known.map((letter) => `${letter}=%${letter}`).join("|")
      const dates = moments.map((at) =>
        spawnSync("date", ["-d", at, `+${format}`], {
          encoding: "utf8",
          env: { ...process.env, LC_ALL: "C" },
        }).stdout.slice(0, -1),
      )
      const ours = moments.map((at) => known.map((letter) => `${letter}=${strftime(letter, new Date(at))}`).join("|"))
      return [ours, dates]
    })
    expect(shown).toEqual(wanted)
  })

  it("knows no other letter", () => {
    for (const letter of ["q", "E", "N", "", "ä"]) expect(strftime(letter, new Date(0))).toBeUndefined()
  })
})
