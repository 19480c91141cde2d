// What people bring into the page and take out of it, and what they do on the way.

import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeSavedTrace } from "@puremq/tls13/trace"
import { afterAll, describe, expect, it } from "vitest"
import { engineTime, loadEngine } from "../engine.ts"
import { printed, traces } from "../rfc8448-text.ts"
import { settled, usePages, whyNot } from "./page.ts"

const pages = usePages()
afterAll(() => expect(pages.problems).toEqual([]))

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  it("shows the five traces of RFC 8448, pasted, with the RFC's secrets", { timeout: 60_000 }, async () => {
    const page = await pages.open("#provider=fast&view=own")
    for (const trace of traces) {
      await page.getByRole("tab", { name: "Bring your own" }).click()
      await page.locator(".own textarea").nth(1).fill(printed(trace))
      await page.getByRole("button", { name: "Read it" }).click()
      await page.getByText("It is in the other views now").waitFor()
      await page.getByRole("tab", { name: "Both ends" }).click()
      await page.getByRole("slider").press("End")
      await settled(page)
      const secret = (label: string) =>
        trace.steps.find((step) => step.label === label && step.fields?.["expanded"])?.fields
      for (const [label, name] of [
        ['derive secret "tls13 c hs traffic"', "client_handshake_traffic_secret"],
        ['derive secret "tls13 s ap traffic"', "server_application_traffic_secret"],
      ] as const) {
        const beginning = secret(label)!["expanded"]!.hex!.slice(0, 8)
        const row = page.locator("li", { hasText: name }).filter({ hasText: beginning })
        expect({ section: trace.section, name, rows: await row.count() }).toMatchObject({ rows: 2 })
      }
    }
    await page.getByRole("button", { name: "Back to the scenarios" }).click()
    await settled(page)
    expect(await page.locator(".is-brought").count()).toBe(0)
    await page.close()
  })

  it("shows of the other end what a saved trace shows of it", { timeout: engineTime }, async () => {
    const engine = await loadEngine()
    const { steps } = engine.play({ scenario: "compression", provider: engine.fast(), seed: 3 })
    const events = steps.flatMap(({ end, happening }) => {
      if (end !== "client" || !["record", "message", "alert", "secret", "keys", "state"].includes(happening.type))
        return []
      const { wire: _, fields: _f, written: _w, words: _o, ...event } = { ...happening } as Record<string, unknown>
      return [{ at: 0, event: { ...event, ...(event["type"] === "state" && { role: "client" }) } as never }]
    })
    const text = writeSavedTrace({ role: "client", started: engine.now, events, omitted: 0 })
    const page = await pages.open("#provider=fast&view=own")
    await page.locator('input[type="file"]').setInputFiles({
      name: "seen.json",
      mimeType: "application/json",
      buffer: Buffer.from(text),
    })
    await page.getByText("It is in the other views now").waitFor()
    await page.getByRole("tab", { name: "Both ends" }).click()
    await page.getByRole("slider").press("End")
    await settled(page)
    const server = page.locator(".end.of-server")
    expect(await server.locator(".status").textContent()).toBe("WAIT_FINISHED")
    expect(await server.textContent()).toContain("The trace is the client’s")
    expect(await page.locator(".end.of-client").textContent()).not.toContain("The trace is")
    // No trace has the secret of the key exchange.
    await page.getByRole("tab", { name: "Key schedule" }).click()
    await page.getByText("does not tell the secret of the key exchange").waitFor()
    // The chain came compressed.
    await page.getByRole("tab", { name: "Bytes" }).click()
    await page
      .locator(".choice")
      .getByRole("button", { name: /^CompressedCertificate/ })
      .first()
      .click()
    await page.getByText("Decompressed").click()
    await page
      .getByRole("treeitem", { name: /^certificate_list/ })
      .first()
      .waitFor()
    await page.close()
  })

  it("keeps what was brought while other views are looked at, and breaks nothing in it", {
    timeout: 60_000,
  }, async () => {
    const engine = await loadEngine()
    const file = Buffer.from(
      engine.pcapngOf(engine.play({ scenario: "resumption", provider: engine.fast(), seed: 3 }), engine.now),
    )
    const page = await pages.open("#provider=fast&view=own&scenario=hello-retry")
    await page.locator('input[type="file"]').setInputFiles({
      ...{ name: "two.pcapng", mimeType: "application/octet-stream", buffer: file },
    })
    const found = page.locator(".connections button")
    await expect.poll(() => found.count()).toBe(2)
    await found.nth(1).click()
    await page.locator(".is-brought").waitFor()
    // The head says that it is of none of the scenarios, and gives no link to one.
    expect(await page.getByLabel("Scenario").locator("option:checked").textContent()).toMatch(
      /^None: a connection that was brought/,
    )
    expect(await page.getByLabel("Seed").inputValue()).toBe("")
    for (const control of [page.getByLabel("Seed"), page.getByRole("button", { name: "Copy link" })])
      expect(await control.isDisabled()).toBe(true)
    await expect.poll(() => page.title()).toMatch(/^Bring your own: 192\.0\.2\.1/)
    await page.getByRole("tab", { name: "Break it" }).click()
    expect(await page.locator(".on-the-way, .breaks").count()).toBe(0)
    await page.getByRole("tab", { name: "Bring your own" }).click()
    expect(await found.count()).toBe(2)
    expect(await page.locator(".drop").textContent()).toContain("two.pcapng is here")
    await found.nth(0).click()
    expect(await found.nth(0).getAttribute("aria-pressed")).toBe("true")
    await page.getByRole("tab", { name: "Break it" }).click()
    await page.getByRole("button", { name: "Break a run of this page" }).click()
    await settled(page)
    expect(await page.locator(".breaks").count()).toBe(1)
    await expect.poll(() => new URL(page.url()).hash).toContain("scenario=hello-retry")
    expect(await page.getByRole("button", { name: "Copy link" }).isDisabled()).toBe(false)
    await page.close()
  })

  it("says in one line what cannot be read", async () => {
    const page = await pages.open("#view=own")
    await page.locator(".own textarea").nth(1).fill("16 03 01 0")
    await page.getByRole("button", { name: "Read it" }).click()
    await page.getByText("two make a byte, so one is missing").waitFor()
    await page.close()
  })

  it("gives a pcapng that it reads again, and that tshark opens decrypted", async () => {
    const page = await pages.open("#provider=fast&view=own")
    const download = page.waitForEvent("download")
    await page.getByRole("button", { name: "Save as pcapng" }).click()
    const file = await (await download).path()
    await page.locator('input[type="file"]').setInputFiles({
      name: "seen.pcapng",
      mimeType: "application/octet-stream",
      buffer: readFileSync(file),
    })
    await page.getByText("192.0.2.1:50000 to 192.0.2.2:8883").first().waitFor()
    // The browser keeps what was downloaded until the page is closed.
    const copy = readFileSync(file)
    await page.close()
    if (spawnSync("tshark", ["--version"]).status !== 0) return console.log("explorer: no tshark here to open it with")
    const folder = mkdtempSync(join(tmpdir(), "explorer-"))
    const kept = join(folder, "seen.pcapng")
    writeFileSync(kept, copy)
    const { stdout } = spawnSync("tshark", ["-r", kept, "-Y", "mqtt"], { encoding: "utf8" })
    rmSync(folder, { recursive: true })
    expect(stdout).toContain("Publish Message [home/kitchen/temperature]")
  })

  it("lets anybody flip a bit on the way, and shows who notices", async () => {
    const page = await pages.open("#provider=fast&view=break")
    const form = page.locator(".on-the-way")
    await form.getByLabel("Take this record").selectOption("3")
    await form.getByLabel(/^Bit, from 0/).fill("900")
    await form.getByRole("button", { name: "Do it" }).click()
    await page.locator(".verdict .notice", { hasText: "Client notices" }).waitFor()
    expect(await page.locator(".verdict .alert").textContent()).toBe("bad_record_mac")
    await expect.poll(() => new URL(page.url()).hash).toContain("meddling=flip.3.900")
    await form.getByRole("button", { name: /^Undo/ }).click()
    await settled(page)
    await expect.poll(() => new URL(page.url()).hash).not.toContain("meddling")
    await page.close()
  })

  it("says when there was nothing to hit, and whose connection a record is of", async () => {
    const page = await pages.open("#provider=fast&view=break&meddling=drop.99")
    expect(await page.locator(".broken").textContent()).toMatch(
      /Nothing was hit: there is no record 100 in this run, which has \d+/,
    )
    expect(await page.locator(".verdict .notice").textContent()).toBe("Nothing was hit, so nothing is changed.")
    await page.getByRole("button", { name: "Leave it" }).click()
    await settled(page)
    expect(await page.locator(".broken").count()).toBe(0)
    const records = page.getByLabel("Take this record").locator("option")
    expect((await records.allTextContents()).join()).not.toContain("connection")
    await page.getByLabel("Scenario").selectOption("resumption")
    await settled(page)
    const titles = await records.allTextContents()
    expect(titles[0]).toMatch(/^1: connection 1, the client's handshake, \d+ bytes$/)
    expect(titles.at(-1)).toMatch(/^\d+: connection 2, the server's application_data, \d+ bytes$/)
    await page.close()
  })
})
