// The page by keyboard alone, with less motion, on a phone, and as axe-core judges it.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { AxeResults } from "axe-core"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { scenarioIds } from "../timelines.ts"
import { announced, says, settled, usePages, whyNot } from "./page.ts"

const pages = usePages()
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

async function judged(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  // The rules of WCAG 2.2, too, which axe runs only when it is asked to.
  const options = { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`)
}

/** The row of buttons at the foot of the window lies over what is to be scrolled up: a window in which nothing is. */
async function inFull(page: Page): Promise<void> {
  const { width } = page.viewportSize()!
  await page.setViewportSize({ width, height: 900 })
  const height = Number(await page.evaluate("document.documentElement.scrollHeight"))
  await page.setViewportSize({ width, height })
}

/** In the page: goes on to the last step, and tells at which the page is wider than the window. */
const sideways = `async () => {
  const said = () => document.querySelector("#announcement").textContent
  const wide = []
  for (;;) {
    const before = said()
    const [, step, last] = /Step (\\d+) of (\\d+)/.exec(before)
    const by = document.documentElement.scrollWidth - innerWidth
    if (by > 0) wide.push(step + " by " + by)
    if (step === last) return wide
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }))
    for (let wait = 0; said() === before && wait < 1000; wait++) await undefined
  }
}`

/** In the page: what is cut off or scrolls, by its classes. */
const cutOff = `() => [...document.querySelectorAll(".view *, .now *")].filter((element) => {
  const { overflowX, overflowY } = getComputedStyle(element)
  if (element.closest(".sr") || element.matches("select, textarea, input, svg, svg *")) return false
  return (overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1)
    || (overflowY !== "visible" && element.scrollHeight > element.clientHeight + 1)
}).map((element) => element.tagName + "." + element.className)`

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  it("can be used by keyboard alone", { timeout: 60_000 }, async () => {
    const page = await pages.open("#scenario=full&step=0")
    const press = (key: string) => page.keyboard.press(key)
    const focused = () => page.evaluate("document.activeElement.textContent || document.activeElement.tagName")
    expect(await announced(page)).toMatch(/^Step 1 of 110\. The client opens the connection/)
    await press("ArrowRight")
    expect(await announced(page)).toMatch(/^Step 2 of 110\. The client writes ClientHello/)
    await press("End")
    expect(await announced(page)).toMatch(/^Step 110 of 110/)
    await press("PageUp")
    await press("Home")
    await press("PageDown")
    expect(await announced(page)).toMatch(/A record of 127 bytes goes from the server/)
    await expect.poll(() => new URL(page.url()).hash).toContain("step=28")
    // The first stop leads past the head.
    await press("Tab")
    expect(await focused()).toBe("To the view")
    await press("Tab")
    await press("ArrowDown")
    await settled(page)
    await expect.poll(() => new URL(page.url()).hash).toContain("scenario=hello-retry")
    // On to the tabs, and to another view.
    for (let tabs = 0; tabs < 12 && (await focused()) !== "Both ends"; tabs++) await press("Tab")
    await press("ArrowRight")
    expect(await focused()).toBe("Bytes")
    await expect.poll(() => new URL(page.url()).hash).toContain("view=bytes")
    await press("PageDown")
    await page.locator('[role="tree"] [tabindex="0"]').waitFor()
    for (let tabs = 0; tabs < 40 && (await page.locator('[role="tree"] :focus').count()) === 0; tabs++)
      await press("Tab")
    const details = page.locator(".details .field-name")
    const first = await details.textContent()
    await press("ArrowDown")
    await press("ArrowDown")
    expect(await details.textContent()).not.toBe(first)
    await expect.poll(() => new URL(page.url()).hash).toMatch(/field=\d+-\d+/)
    // Help opens, says how, and closes.
    await page.locator("h1").click()
    await press("?")
    expect(await page.getByRole("dialog").textContent()).toContain("Page Down")
    expect(await page.getByRole("dialog").locator("kbd").allTextContents()).toEqual(
      expect.arrayContaining(["1 … 9", "0", "-", "="]),
    )
    await press("Escape")
    expect(await page.getByRole("dialog").count()).toBe(0)
    // What a closed dialog had focused keeps the focus until the next frame: the page's keys are back at once.
    await page.evaluate(
      `document.querySelector("dialog button").dispatchEvent(new KeyboardEvent("keydown", { key: "4", bubbles: true }))`,
    )
    await expect.poll(() => new URL(page.url()).hash).toContain("view=keys")
    // Each view has a key of its own, which its tab tells.
    const tabs = await page.locator('[role="tab"]').all()
    expect(tabs).toHaveLength(12)
    for (const [at, tab] of tabs.entries()) {
      await press("1234567890-="[at]!)
      await expect.poll(() => tab.getAttribute("aria-selected"), { message: `tab ${at + 1}` }).toBe("true")
      expect(await tab.getAttribute("aria-keyshortcuts")).toBe("1234567890-="[at])
    }
    await page.close()
  })

  it("takes no seed that there is not, says so in a line, and keeps the one it has", async () => {
    const page = await pages.open("#scenario=full&step=0&seed=7")
    const field = page.getByLabel("Seed")
    const line = page.locator("#seed-refused")
    for (const [text, said] of [
      ["-1", "“-1” is no seed: a whole number from 0 to 4,294,967,295. It stays 7."],
      ["4294967296", "“4294967296” is no seed"],
      ["1.5", "“1.5” is no seed"],
      ["", "That is no seed"],
    ] as const) {
      await field.fill(text)
      await field.press("Enter")
      await expect.poll(() => line.textContent()).toContain(said)
      expect(await field.inputValue()).toBe("7")
      expect(new URL(page.url()).hash).toContain("seed=7")
    }
    expect(await judged(page)).toEqual([])
    await field.fill("4294967295")
    await field.press("Enter")
    await settled(page)
    await expect.poll(() => new URL(page.url()).hash).toContain("seed=4294967295")
    expect(await line.textContent()).toBe("")
    await page.close()
  })

  it("says what is not yet known of a peer", async () => {
    const page = await pages.open("#scenario=full&step=0")
    expect(await page.locator(".end.of-client ol.known li").allTextContents()).toEqual([
      expect.stringMatching(/^not yet shown: a certificate/),
      expect.stringMatching(/^not yet proven: that the server has the certificate's private key/),
      expect.stringMatching(/^not yet proven: that both have seen the same handshake/),
      expect.stringMatching(/^not yet accepted: who the server is/),
    ])
    await page.keyboard.press("End")
    expect(await page.locator(".end.of-client ol.known li").allTextContents()).toEqual([
      expect.stringMatching(/^the server shows a certificate/),
      expect.stringMatching(/^the server has the certificate's private key/),
      expect.stringMatching(/^both have seen/),
      expect.stringMatching(/^it is CN=broker\.example/),
    ])
    await page.close()
  })

  it("plays, and with less motion goes half a round trip at a time", async () => {
    const page = await pages.open("#scenario=full&step=0")
    await page.keyboard.press(" ")
    await says(page, /^Step 2 /)
    await page.keyboard.press(" ")
    expect(await page.getByRole("button", { name: "Play" }).count()).toBe(1)
    await page.close()
    const calm = await pages.open("#scenario=full&step=0", { reducedMotion: "reduce" })
    await calm.keyboard.press(" ")
    await says(calm, /^Step 29 /)
    await calm.close()
  })

  it("is where the browser's way back leads", async () => {
    const page = await pages.open("#scenario=full&step=4")
    await page.getByRole("tab", { name: "Bytes" }).click()
    await page.goBack()
    expect(await page.getByRole("tab", { name: "Both ends" }).getAttribute("aria-selected")).toBe("true")
    await page.close()
  })

  it("shows fields, on the wire and decrypted, with their lines", async () => {
    const page = await pages.open("#scenario=full&step=45&view=bytes&look=41")
    expect(await page.locator(".fields").textContent()).toContain("encrypted_record")
    await page.getByText("Decrypted").click()
    expect(await page.locator(".fields").textContent()).toContain("CertificateVerify")
    await page.getByRole("treeitem", { name: /^algorithm/ }).click()
    const details = page.locator(".details")
    expect(await details.locator(".field-value").textContent()).toBe("ecdsa_secp256r1_sha256 (0x0403)")
    expect(await details.locator(".place").allTextContents()).toEqual([
      expect.stringMatching(/^codec\/certificate-verify\.ts:\d+$/),
      expect.stringMatching(/^codec\/certificate-verify\.ts:\d+$/),
    ])
    expect(await details.locator(".source .is-it").last().textContent()).toContain("reader.uint16()")
    expect(await details.locator(".section").textContent()).toBe("RFC 9846 section 4.5.2")
    await page.close()
  })

  it.each(["light", "dark"] as const)(
    "%s: every view has nothing serious for axe-core, and does not scroll sideways",
    { timeout: 120_000 },
    async (scheme) => {
      const page = await pages.open("#scenario=full&step=60&break=bad-finished", { scheme })
      const views = await page.locator('[role="tab"]').all()
      expect(views.length).toBeGreaterThanOrEqual(3)
      // Narrow, it has the same colours: once is enough.
      for (const width of scheme === "light" ? [1280, 360] : [1280]) {
        await page.setViewportSize({ width, height: 900 })
        for (const view of views) {
          await view.click()
          await inFull(page)
          const found = await judged(page)
          const sideways = await page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)")
          const seen = { view: await view.textContent(), width }
          expect({ ...seen, found, sideways }).toEqual({ ...seen, found: [], sideways: 0 })
        }
      }
      await page.close()
    },
  )

  it.each(["light", "dark"] as const)("%s: the two hellos of Encrypted Client Hello, too", async (scheme) => {
    const page = await pages.open("#scenario=ech-retry&step=120&view=eyes&item=eyes/eavesdropper", { scheme })
    const first = page.locator(".ech-hellos").first()
    const cells = first.getByRole("row", { name: /^server_name/ }).getByRole("cell")
    expect(await cells.allTextContents()).toEqual(["public.example", "broker.example"])
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 900 })
      await inFull(page)
      expect(await judged(page)).toEqual([])
      expect(await page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)")).toBe(0)
    }
    // By keyboard: from whoever looks to how it is sealed, and to the bytes of the payload.
    expect(await first.getAttribute("class")).toContain("is-sealed")
    await page.locator('.eye-choice input[type="radio"]:checked').focus()
    for (const _ of "12") await page.keyboard.press("ArrowLeft")
    await page.locator(".ech-hellos:not(.is-sealed)").first().waitFor()
    const summary = page.locator(".ech-sealing summary").first()
    const isOpen = () => page.locator(".ech-sealing").first().getAttribute("open")
    const before = await isOpen()
    await summary.focus()
    await page.keyboard.press("Enter")
    expect(await isOpen()).not.toBe(before)
    if ((await isOpen()) === null) await page.keyboard.press("Enter")
    await page.getByRole("button", { name: "Look at them" }).first().focus()
    await page.keyboard.press("Enter")
    await page.locator(".field-name", { hasText: "payload" }).waitFor()
    await page.close()
  })

  it("shows every step of every scenario on a narrow phone, without scrolling sideways", {
    timeout: 300_000,
  }, async () => {
    const page = await pages.open("#scenario=full&step=0&provider=fast", { width: 360, height: 800 })
    for (const width of [360, 320]) {
      await page.setViewportSize({ width, height: 800 })
      for (const scenario of scenarioIds) {
        await page.evaluate(`location.hash = "#scenario=${scenario}&step=0&provider=fast"`)
        await settled(page)
        await says(page, /^Step 1 /)
        expect({ scenario, width, wide: await page.evaluate(`(${sideways})()`) }).toEqual({ scenario, width, wide: [] })
      }
    }
    await page.close()
  })

  it("prints every view as a whole", { timeout: 60_000 }, async () => {
    const page = await pages.open("#scenario=full&step=60&break=bad-finished&without=finished")
    for (const view of await page.locator('[role="tab"]').all()) {
      await page.emulateMedia({ media: "screen" })
      await view.click()
      await settled(page)
      await page.emulateMedia({ media: "print" })
      // As wide as a sheet of A4 at 96 points to the inch, with its margins.
      await page.setViewportSize({ width: 718, height: 1000 })
      const found = { view: await view.textContent(), cut: await page.evaluate(`(${cutOff})()`) }
      expect(found).toEqual({ ...found, cut: [] })
      await page.setViewportSize({ width: 1280, height: 900 })
    }
    await page.close()
  })

  it("hands the focus on from what takes itself away", async () => {
    const page = await pages.open("#break=bad-finished&view=ends&lesson=key-share")
    const focused = () => page.evaluate("document.activeElement.id || document.activeElement.tagName")
    for (const name of ["Close it", "Mend it"]) {
      await page.getByRole("button", { name }).focus()
      await page.keyboard.press("Enter")
      await expect.poll(focused).toBe("view")
    }
    await settled(page)
    expect(await focused()).toBe("view")
    // The next stop is in the view, and not at the head of the page.
    await page.keyboard.press("Tab")
    expect(await page.evaluate('document.querySelector("#view").contains(document.activeElement)')).toBe(true)
    await page.close()
  })

  it("has a title that says what is shown", { timeout: 60_000 }, async () => {
    const page = await pages.open("#scenario=full&step=4")
    const isTitled = (title: string) => expect.poll(() => page.title(), { timeout: 20_000 }).toBe(title)
    await isTitled("Both ends: Full handshake · TLS 1.3 explorer")
    await page.keyboard.press("3")
    await isTitled("Bytes: Full handshake · TLS 1.3 explorer")
    await page.evaluate('location.hash = "#break=bad-finished&view=break"')
    await isTitled("Break it: A wrong Finished · TLS 1.3 explorer")
    await page.close()
  })

  it("goes on with the steps by arrows once a tab was pressed with a pointer", async () => {
    const page = await pages.open("#scenario=full&step=4")
    await page.getByRole("tab", { name: "Key schedule" }).click()
    await page.keyboard.press("ArrowRight")
    await says(page, /^Step 6 /)
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Key schedule")
    await page.keyboard.press("End")
    await says(page, /^Step 110 of 110/)
    await page.close()
  })

  it("has a help that axe-core does not mind", async () => {
    const page = await pages.open("#scenario=full")
    await page.keyboard.press("?")
    expect(await judged(page)).toEqual([])
    await page.close()
  })

  it("has broken no policy, asked for nothing elsewhere, and complained of nothing", () => {
    expect(pages.problems).toEqual([])
  })
})
