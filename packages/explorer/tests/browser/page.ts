// The built page in a browser: Debian's Chromium, without a network, from a sub-folder of a server of static files.

import { existsSync, mkdtempSync, rmSync } from "node:fs"
import type { Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, inject } from "vitest"
import { bundlePage } from "../../build/bundle.mjs"
import { serve } from "../../build/serve.mjs"

const executablePath = process.env["PUREMQ_CHROMIUM"] ?? "/usr/bin/chromium"

/** Why the tests cannot run here; undefined: they can. */
export const whyNot: string | undefined = existsSync(executablePath)
  ? undefined
  : `${executablePath} does not exist: install chromium, or name one in PUREMQ_CHROMIUM`

export interface Look {
  readonly width?: number
  readonly height?: number
  readonly scheme?: "light" | "dark"
  readonly reducedMotion?: "reduce"
}

export interface Pages {
  /** Opens the page at an address, such as `#scenario=full`, and waits until its run is there. */
  open(hash: string, look?: Look): Promise<Page>
  /** What went wrong in any page: errors, messages of the console, refused by the policy, addresses elsewhere. */
  readonly problems: readonly string[]
}

/** For a test file: the page is built (by a whole run of the tests once for all files) and served once, and pages are closed at the end. */
export function usePages(): Pages {
  const problems: string[] = []
  let own = ""
  let server: Server
  let address: string
  let browser: Browser
  beforeAll(async () => {
    if (whyNot !== undefined) return
    const shared = inject("pageFolder")
    if (shared === undefined) {
      own = mkdtempSync(join(tmpdir(), "explorer-page-"))
      await bundlePage(own)
    }
    const served = await serve(shared ?? own, 0, "/lessons/tls/")
    server = served.server
    address = served.address
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
  }, 60_000)
  afterAll(async () => {
    if (whyNot !== undefined) return
    await browser.close()
    await new Promise((resolve) => server.close(resolve))
    if (own !== "") rmSync(own, { recursive: true })
  })
  const open = async (hash: string, look: Look = {}) => {
    const { width = 1280, height = 900, scheme = "light", reducedMotion = null } = look
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme, reducedMotion })
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") problems.push(message.text())
    })
    page.on("pageerror", (error) => problems.push(error.message))
    page.on("request", (request) => {
      if (!request.url().startsWith(address)) problems.push(`asks for ${request.url()}`)
    })
    await page.addInitScript(
      'addEventListener("securitypolicyviolation", (event) => console.error("policy: " + event.violatedDirective))',
    )
    await page.goto(address + hash)
    await settled(page)
    return page
  }
  return { open, problems }
}

/** Waits until the run that the address means is shown. */
export async function settled(page: Page): Promise<void> {
  // What was just done is on the screen after two frames.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
  await page.locator(".view:not(.is-stale)").waitFor()
  await says(page, /^Step/)
}

/** Waits until the page announces a step like this. */
export async function says(page: Page, text: RegExp): Promise<void> {
  await page.locator("#announcement", { hasText: text }).waitFor({ state: "attached" })
}

/** What a screen reader hears of the step. */
export async function announced(page: Page): Promise<string> {
  return (await page.locator("#announcement").textContent()) ?? ""
}
