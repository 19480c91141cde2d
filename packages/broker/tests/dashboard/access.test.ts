// The dashboard for everybody: as axe-core judges it in both themes, by keyboard alone, and on a phone.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import type { AxeResults } from "axe-core"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { type Running, useWorld, whyNot } from "./world.ts"

const world = useWorld()
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const views = [
  ...["overview", "clients", "client?id=plain", "sessions", "subscriptions", "topics?topic=building/lights/1"],
  ...["security", "console", "operate"],
]

async function busyBroker(): Promise<Running> {
  const made = createDevelopmentCertificates({ names: ["localhost"], now: Date.now(), days: 20 })
  const running = await world.start({
    listeners: [
      { type: "tcp", port: 0 },
      { type: "tls", port: 0, cert: made.serverCert, key: made.serverKey },
      { type: "ws", port: 0 },
    ],
    login: { passwords: "", anonymous: true },
  })
  const client = await world.join(running, { clientId: "plain" })
  await client.subscribeAsync(["building/#", "$share/group/lights/+"])
  for (const at of [1, 2, 3]) await client.publishAsync(`building/lights/${at}`, '{"on":true}', { retain: true })
  // One that is no TLS, and one whose login is refused.
  await world.join(running, { clientId: "lost", port: running.port("tls"), connectTimeout: 300 }).catch(() => undefined)
  return running
}

async function judged(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  // The rules of WCAG 2.2, too, which axe runs only when it is asked to.
  const options = { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`)
}

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  it.each(["light", "dark"] as const)("axe-core finds nothing serious, in %s", { timeout: 120_000 }, async (scheme) => {
    const running = await busyBroker()
    const page = await world.open(running, "overview", { scheme })
    for (const view of views) {
      await page.goto(`${running.page}#/${view}`)
      await settled(page)
      expect(await judged(page), view).toEqual([])
    }
    await page.goto(`${running.page}#/client?id=plain`)
    await page.getByRole("button", { name: "Disconnect" }).click()
    expect(await judged(page), "a dialog").toEqual([])
    expect(await judged(await world.open(running, "", { scheme, token: false })), "the login").toEqual([])
    const empty = await world.start({ listeners: [{ type: "tcp", port: 0 }] })
    const first = await world.open(empty, "overview", { scheme })
    await first.getByRole("heading", { name: "Connect the first client" }).waitFor()
    expect(await judged(first), "an empty broker").toEqual([])
  })

  it("can be used by keyboard alone", { timeout: 60_000 }, async () => {
    const running = await busyBroker()
    const page = await world.open(running, "overview", { token: false })
    const press = (key: string) => page.keyboard.press(key)
    const focused = () => page.evaluate("document.activeElement.textContent || document.activeElement.tagName")
    const tabTo = async (text: string | RegExp) => {
      for (let tabs = 0; tabs < 60; tabs++) {
        await press("Tab")
        const now = String(await focused())
        if (typeof text === "string" ? now === text : text.test(now)) return
      }
      throw new Error(`no Tab leads to ${text}`)
    }
    await tabTo("INPUT")
    await page.keyboard.type(running.tokens.operate)
    await press("Enter")
    await page.getByText("live", { exact: true }).waitFor()
    await tabTo("To the view")
    await tabTo(/^Clients/)
    await press("Enter")
    await page.getByRole("link", { name: "plain" }).waitFor()
    // The focus went to the view with the view.
    await tabTo("plain")
    await press("Enter")
    await page.getByRole("button", { name: "Disconnect" }).waitFor()
    await tabTo("Disconnect")
    await press("Enter")
    await page.getByRole("dialog").waitFor()
    await press("Escape")
    await expect.poll(focused).toBe("Disconnect")
    await page.goto(`${running.page}#/topics`)
    const items = page.getByRole("treeitem")
    await items.first().waitFor()
    await tabTo(/^building/)
    await press("ArrowRight")
    await expect.poll(() => items.filter({ hasText: "lights" }).count()).toBe(1)
    await press("ArrowDown")
    await press("ArrowRight")
    await expect.poll(() => items.filter({ hasText: /^1/ }).count()).toBe(1)
    await press("ArrowDown")
    await press("Enter")
    await page.getByRole("heading", { name: "building/lights/1" }).waitFor()
  })

  it("fits a phone of 360 pixels, and does not jump while it is looked at", { timeout: 60_000 }, async () => {
    const running = await busyBroker()
    const page = await world.open(running, "overview", { width: 360, height: 740 })
    for (const view of views) {
      await page.goto(`${running.page}#/${view}`)
      await settled(page)
      const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
      expect(Number(wider), view).toBeLessThanOrEqual(0)
    }
    const wide = await world.open(running, "overview")
    await settled(wide)
    await wide.evaluate(
      'window.jumps = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.jumps += entry.value }).observe({ type: "layout-shift" })',
    )
    await wide.waitForTimeout(5000)
    expect(Number(await wide.evaluate("window.jumps"))).toBeLessThan(0.02)
  })

  it("no page has said that anything went wrong", () => {
    expect(world.problems).toEqual([])
  })
})

/** Waits until the view has what it shows. */
async function settled(page: Page): Promise<void> {
  await page.getByText("live", { exact: true }).waitFor()
  await expect.poll(() => page.locator("main").textContent()).not.toMatch(/^…|being asked/)
  await page.waitForTimeout(400)
}
