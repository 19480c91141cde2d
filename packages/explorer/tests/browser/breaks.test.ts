// Every row of "break it" ends as the table says, and gets further without its check.

import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../../src/engine.ts"
import { engineTime, loadEngine } from "../engine.ts"
import { settled, usePages, whyNot } from "./page.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const pages = usePages()

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  it("shows who notices, the alert, the line and its section", { timeout: 60_000 }, async () => {
    const page = await pages.open("#provider=fast&view=break")
    for (const broken of engine.breaks) {
      const row = page.getByRole("row", { name: broken.title }).first()
      await row.getByRole("button").click()
      await settled(page)
      const verdict = page.locator(".verdict")
      await verdict.locator(".notice").waitFor()
      const notice = await verdict.locator(".notice").textContent()
      const alert =
        (await verdict.locator(".alert").count()) > 0 ? await verdict.locator(".alert").textContent() : undefined
      if (broken.noticed === "goes on") expect(notice).toMatch(/^Nobody gives up/)
      else {
        expect({ id: broken.id, notice, alert }).toEqual({
          id: broken.id,
          notice: expect.stringMatching(new RegExp(`^${broken.noticed.by} notices`, "i")),
          alert: broken.noticed.alert,
        })
        expect(await row.textContent()).toContain(broken.noticed.alert ?? "none")
        expect(await verdict.locator(".source .place").textContent()).toMatch(/^[\w/-]+\.ts:\d+$/)
        expect(((await verdict.locator(".source .is-it").textContent()) ?? "").length).toBeGreaterThan(10)
        expect(await verdict.locator(".section").first().textContent()).toMatch(/^RFC \d{4} section/)
      }
      if (broken.check === undefined) {
        expect(await verdict.locator(".strong").count()).toBe(0)
        continue
      }
      await verdict.getByRole("button", { name: "Without this check" }).click()
      await settled(page)
      await verdict.getByRole("heading", { name: "Without it" }).waitFor()
      const ends = await verdict.locator(".how-far").allTextContents()
      expect({ id: broken.id, without: ends[1] }).not.toEqual({ id: broken.id, without: ends[0] })
      await expect.poll(() => new URL(page.url()).hash).toContain(`without=${broken.check}`)
    }
    await page.close()
  })

  it("opens a link to a broken run where it is noticed", async () => {
    const page = await pages.open("#break=bad-finished&view=ends")
    expect(await page.locator("#announcement").textContent()).toContain("gives up: peer's Finished does not match")
    expect(await page.locator(".broken").textContent()).toBe("Mend itBroken: A wrong Finished")
    await page.getByRole("button", { name: "Mend it" }).click()
    await settled(page)
    await expect.poll(() => new URL(page.url()).hash).not.toContain("break=")
    await page.close()
  })

  it("has broken no policy, asked for nothing elsewhere, and complained of nothing", () => {
    expect(pages.problems).toEqual([])
  })
})
