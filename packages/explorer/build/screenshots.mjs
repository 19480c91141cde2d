// Takes the pictures of docs/explorer anew: `node packages/explorer/build/screenshots.mjs`. Needs Chromium, as the browser tests do.

import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import { bundlePage, pageFolder } from "./bundle.mjs"
import { serve } from "./serve.mjs"
import { withPalette } from "./small-png.mjs"

const to = fileURLToPath(new URL("../../../docs/explorer/", import.meta.url))

/** Name, address, and how it is looked at. */
const pictures = [
  ["both-ends", "#scenario=full&step=45&view=ends", { width: 1280, height: 900 }],
  ["both-ends-dark", "#scenario=0-rtt&step=150&view=ends", { width: 1280, height: 900, dark: true }],
  ["bytes", "#scenario=full&step=45&view=bytes&look=1&field=167-172", { width: 1280, height: 900 }],
  ["decrypted", "#scenario=full&step=45&view=bytes&look=47&field=4-6", { width: 1280, height: 900, dark: true }],
  [
    "key-schedule",
    "#scenario=full&step=40&view=keys&item=keys/client/server_handshake_traffic_secret",
    { width: 1280, height: 1100, scroll: ".tabs" },
  ],
  [
    "who-reads-what",
    "#scenario=0-rtt&step=217&view=eyes&item=eyes/ticket-key",
    { width: 1280, height: 1100, dark: true, scroll: ".tabs" },
  ],
  [
    "two-hellos",
    "#scenario=ech&step=111&view=eyes&item=eyes/eavesdropper",
    { width: 1280, height: 1000, scroll: ".tabs" },
  ],
  ["break-it", "#break=bad-finished&without=finished&view=break", { width: 1280, height: 900 }],
  ["phone", "#scenario=full&step=29&view=ends", { width: 360, height: 740, scroll: ".wire" }],
]

await bundlePage()
const { server, address } = await serve(pageFolder, 0)
const browser = await chromium.launch({
  executablePath: process.env.PUREMQ_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
})
for (const [name, hash, { width, height, dark, scroll }] of pictures) {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  })
  await page.goto(address + hash)
  await page.locator("#announcement", { hasText: /^Step/ }).waitFor({ state: "attached" })
  if (scroll) await page.locator(scroll).evaluate((element) => element.scrollIntoView())
  // What a view has played on its own.
  await page.waitForTimeout(2_000)
  // How long it took is not the same twice.
  await page.locator(".now .state").evaluate((element) => element.remove())
  writeFileSync(`${to}${name}.png`, withPalette(await page.screenshot()))
  await page.close()
}
await browser.close()
server.close()
