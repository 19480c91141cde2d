// A lesson leads into the page and the page back to it; the quiz is answered by keyboard, and the stack judges.

import { describe, expect, it } from "vitest"
import { says, settled, usePages, whyNot } from "./page.ts"

const pages = usePages()

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  it("opens a lesson, follows its links to their steps, and comes back", { timeout: 60_000 }, async () => {
    const page = await pages.open("#view=lessons&seed=5")
    await page.getByRole("link", { name: "Why a ClientHello has a key share" }).focus()
    await page.keyboard.press("Enter")
    await expect.poll(() => new URL(page.url()).hash).toContain("lesson=key-share")
    const ways = page.locator(".way")
    const known = () => ways.evaluateAll((all) => all.map((way) => Number(way.getAttribute("data-step") ?? Number.NaN)))
    await expect.poll(async () => (await known()).every((step) => step >= 0)).toBe(true)
    const count = await ways.count()
    expect(count).toBeGreaterThan(4)
    for (let at = 0; at < count; at++) {
      const way = ways.nth(at)
      const step = Number(await way.getAttribute("data-step"))
      const view = new URLSearchParams(((await way.getAttribute("href")) ?? "").slice(1)).get("view")
      await way.focus()
      await page.keyboard.press("Enter")
      await says(page, new RegExp(`^Step ${step + 1} of`))
      await settled(page)
      expect(await page.getByRole("tab", { selected: true }).getAttribute("id")).toBe(`tab-${view}`)
      await page.getByRole("button", { name: "Back to the lesson" }).click()
      await expect.poll(async () => (await known()).every((of) => of >= 0)).toBe(true)
    }
    await page.getByRole("link", { name: /^Next/ }).click()
    await expect.poll(() => new URL(page.url()).hash).toContain("lesson=hello-retry")
    await page.close()
  })

  it("shows the field that a link means", async () => {
    const page = await pages.open("#view=lessons&lesson=key-share")
    const way = page.getByRole("link", { name: "its share into the ClientHello" })
    await expect.poll(() => way.getAttribute("href")).toMatch(/field=\d+-\d+/)
    await way.focus()
    await page.keyboard.press("Enter")
    await page.getByRole("tab", { name: "Bytes", selected: true }).waitFor()
    expect(await page.locator(".details .field-name").textContent()).toBe("key_exchange")
    await page.close()
  })

  it("asks, judges and counts, and asks nothing twice", async () => {
    const page = await pages.open("#view=quiz&scenario=full&step=60")
    const score = page.locator(".quiz-score")
    for (let asked = 0; asked < 6; asked++) {
      expect(await score.textContent()).toMatch(new RegExp(`of ${asked} right`))
      const answers = page.locator(".quiz-choices input")
      const isHex = (await answers.count()) === 0
      if (isHex) await page.locator(".quiz-hex input").fill("00112233445566778899aabb")
      else await answers.first().check()
      await page.keyboard.press("Enter")
      await page.locator(".quiz-feedback").waitFor()
      expect(await score.textContent()).toMatch(new RegExp(`of ${asked + 1} right`))
      if (isHex) expect(await page.locator(".quiz-feedback").textContent()).toMatch(/^No\..*It is [0-9a-f]{24}\./)
      // The focus goes on with the reader.
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Next question")
      await page.keyboard.press("Enter")
      await page.locator(".quiz-feedback").waitFor({ state: "detached" })
    }
    await page.close()
  })

  it("takes no answer that is none", async () => {
    const page = await pages.open("#view=quiz&scenario=full&step=72")
    await page.getByLabel("Ask about").selectOption("nonce")
    await page.locator(".quiz-hex input").fill("12 34")
    await page.getByRole("button", { name: "Check" }).click()
    expect(await page.locator(".quiz-problem").textContent()).toContain("24 digits")
    expect(await page.locator(".quiz-score").textContent()).toContain("0 of 0 right")
    await page.close()
  })

  it("has broken no policy, asked for nothing elsewhere, and complained of nothing", () => {
    expect(pages.problems).toEqual([])
  })
})
