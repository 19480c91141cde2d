// Takes the pictures of docs/dashboard anew: `node packages/broker/dashboard/build/screenshots.mjs`, after `npm run build`. Needs
// Chromium, as the browser tests do.

import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import { withPalette } from "../../../explorer/build/small-png.mjs"
import { misbehave, startDemo } from "./demo.mjs"

const to = fileURLToPath(new URL("../../../../docs/dashboard/", import.meta.url))

/** Milliseconds until the charts have something to show. */
const untilCharts = 60_000

/** Name, view, and how it is looked at; `long`: with charts. */
const pictures = [
  ["overview", "overview", { width: 1280, height: 900, long: true }],
  ["overview-dark", "overview", { width: 1280, height: 900, dark: true, long: true, scroll: ".charts" }],
  ["clients", "clients", { width: 1280, height: 720 }],
  ["client", "client?id=control-room", { width: 1280, height: 800, dark: true }],
  ["security", "security", { width: 1280, height: 900 }],
  ["topics", "topics?topic=building/cellar/cellar-climate-000/state", { width: 1280, height: 720 }],
  ["console", "console", { width: 1280, height: 800, dark: true, console: true }],
  ["phone", "overview", { width: 360, height: 740, long: true }],
]

mkdirSync(to, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env.PUREMQ_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
})

const demo = await startDemo({ clients: 60 })
await misbehave(demo)
for (const picture of pictures.filter(([, , { long }]) => !long)) await take(demo, picture)
await Promise.all(pictures.filter(([, , { long }]) => long).map((picture) => take(demo, picture)))
await demo.close()
const empty = await startDemo({ clients: 0 })
await take(empty, ["first-client", "overview", { width: 1280, height: 900 }])
await empty.close()
await browser.close()

async function take({ address, token }, [name, view, { width, height, dark, scroll, long, console: hasConsole }]) {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  })
  await page.addInitScript(`sessionStorage.setItem("puremq-token", ${JSON.stringify(token)})`)
  await page.goto(`${address}#/${view}`)
  await page.getByText("live", { exact: true }).waitFor({ timeout: 120_000 })
  if (hasConsole) await useConsole(page)
  await page.waitForTimeout(long ? untilCharts : 2500)
  await page.evaluate("scrollTo(0, 0)")
  if (scroll) await page.locator(scroll).evaluate((element) => element.scrollIntoView())
  writeFileSync(`${to}${name}.png`, withPalette(await page.screenshot()))
  await page.close()
}

async function useConsole(page) {
  await page.getByLabel("Listener").selectOption("ws")
  await page.getByRole("button", { name: "Connect" }).click()
  await page.locator(".tag", { hasText: /^connected$/ }).waitFor()
  await page.getByLabel("Topic filter").fill("building/+/+/temperature")
  await page.getByRole("button", { name: "Subscribe" }).click()
  await page.getByLabel("Topic", { exact: true }).fill("building/roof/fan/set")
  await page.getByLabel("Payload").fill('{"speed":2}')
  await page.getByLabel(/User property/).fill("by=operator")
  await page.waitForTimeout(1500)
  await page.getByRole("button", { name: "Publish" }).click()
}
