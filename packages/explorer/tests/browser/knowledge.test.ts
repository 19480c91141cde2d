// The views of what can be known, in a browser: what they show is what the engine says, and all of it is reached by keyboard.

import type { Page } from "playwright-core"
import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../../src/engine.ts"
import { engineTime, loadEngine } from "../engine.ts"
import { hex } from "../timelines.ts"
import { settled, usePages, whyNot } from "./page.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const pages = usePages()
const play = (scenario: string) => engine.play({ scenario, provider: engine.fast(), seed: 7 })
const last = (scenario: string) => play(scenario).steps.length - 1

/** Goes down the tree with the arrow key, from the first node, and tells what each shows as its output. */
async function outputs(page: Page, nodes: number): Promise<string[]> {
  await page.locator('.schedule-tree [aria-selected="true"]').focus()
  await page.keyboard.press("Home")
  const shown: string[] = []
  for (let at = 0; at < nodes; at++) {
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    const output = page.locator(".schedule-details .is-output")
    shown.push((await output.count()) === 0 ? "" : ((await output.textContent()) ?? ""))
    await page.keyboard.press("ArrowDown")
  }
  return shown
}

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  it.each(["0-rtt", "key-update"])(
    "%s: the key schedule shows the secrets of the key log",
    { timeout: 60_000 },
    async (scenario) => {
      const timeline = play(scenario)
      const connection = timeline.steps.at(-1)!.connection
      const page = await pages.open(`#scenario=${scenario}&seed=7&step=${last(scenario)}&view=keys&item=keys/server`)
      const { nodes } = engine.scheduleOf(timeline, connection, "server")
      const shown = await outputs(page, nodes.length)
      const states = nodes.map((node) => (engine.stateAt(node, Infinity) === "known" ? hex(node.value!) : ""))
      expect(shown).toEqual(states)
      const random = timeline.steps.flatMap(({ happening: of, connection: its, end }) =>
        of.type === "secret" && its === connection && end === "server" ? [hex(of.clientRandom)] : [],
      )[0]!
      const lines = engine
        .keyLogOf(timeline)
        .split("\n")
        .filter((line) => line.includes(random))
      expect(lines.length).toBeGreaterThan(4)
      for (const line of lines) expect(shown).toContain(line.split(" ")[2])
      await page.close()
    },
  )

  it("a link leads to a node, whose command can be copied", async () => {
    const id = "server_handshake_traffic_secret"
    const page = await pages.open(`#scenario=full&seed=7&step=60&view=keys&item=keys/client/${id}`)
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
    expect(await page.locator("#node-title").textContent()).toBe(id)
    await page.getByText("OpenSSL 3").click()
    await page.getByRole("button", { name: "Copy the command for OpenSSL 3" }).click()
    await page.getByText("Copied").waitFor()
    const schedule = engine.scheduleOf(play("full"), 0, "client")
    const commands = engine.commandsOf(engine.nodeOf(schedule, id)!, schedule.hash)!
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(commands.openssl)
    await page.getByRole("button", { name: "Copy the key log" }).click()
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).toBe(engine.keyLogOf(play("full"), 60))
    await page.close()
  })

  it("nodes fill as the steps go on", async () => {
    const timeline = play("full")
    const schedule = engine.scheduleOf(timeline, 0, "server")
    const page = await pages.open("#scenario=full&seed=7&step=0&view=keys&item=keys/server")
    for (const step of [0, 7, 8, 12, 21, 69]) {
      await page.evaluate(`location.hash = location.hash.replace(/step=\\d+/, "step=${step}")`)
      await settled(page)
      const known = schedule.nodes.filter((node) => engine.stateAt(node, step) === "known").length
      await page.locator(".schedule p", { hasText: `${known} of ${schedule.nodes.length} known` }).waitFor()
      expect(await page.locator(".schedule-node.is-known").count()).toBe(known)
    }
    await page.close()
  })

  it("the transcript tells who takes a hash, and what CertificateVerify signs", async () => {
    const page = await pages.open("#scenario=full&seed=7&step=60&view=transcript&item=transcript/client")
    const uses = engine.hashUsesOf(play("full"), 0, "client")
    expect(await page.locator(".use summary").count()).toBe(uses.length)
    await page.locator("summary", { hasText: "server CertificateVerify" }).focus()
    await page.keyboard.press("Enter")
    await page.getByText('"TLS 1.3, server CertificateVerify"').waitFor()
    const use = uses.find(({ kind }) => kind === "signature")
    if (use?.kind !== "signature") throw new Error("nobody signs")
    await page.locator(".use[open]", { hasText: hex(use.signature) }).waitFor()
    await page.close()
  })

  it("who can read what is chosen by keyboard, and stands in the address", async () => {
    const page = await pages.open(`#scenario=0-rtt&seed=7&step=${last("0-rtt")}&view=eyes`)
    await page.locator('input[name="eye"]:checked').focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await page.locator(".eye-about", { hasText: "Thief of the ticket key" }).waitFor()
    await expect.poll(() => new URL(page.url()).hash).toContain("item=eyes%2Fticket-key")
    const rows = engine.eyesAt(play("0-rtt"), Infinity).filter(({ record }) => record.connection === 1)
    const reads = rows.filter(({ verdicts }) => verdicts["ticket-key"].reads)
    expect(await page.locator(".is-open .eye-records li").count()).toBe(reads.length)
    expect(await page.locator(".eye-matrix .dot.is-known").count()).toBe(
      rows.flatMap(({ verdicts }) => Object.values(verdicts)).filter((verdict) => verdict.reads).length,
    )
    await page.close()
  })

  it("a record opens by hand as it was sealed, and not with a bit of it flipped", async () => {
    const page = await pages.open(`#scenario=full&seed=7&step=${last("full")}&view=lab`)
    await page.getByText("✓ It opens: alert, 2 bytes of content").waitFor()
    await page.getByRole("button", { name: "Flip its last bit" }).click()
    await page.getByText("The tag is wrong").waitFor()
    await page.getByRole("button", { name: "As it was" }).click()
    await page.getByText("✓ It opens").waitFor()
    const [sealed] = await page.locator(".hand output").allTextContents()
    await page.locator(".hand textarea").fill(sealed!)
    await page.getByText("✓ It opens: application_data, 5 bytes of content").waitFor()
    await page.locator(".hand textarea").fill("xyz")
    await page.getByText("That is not hexadecimal").waitFor()
    await page.close()
  })

  it("costs stand beside each other", async () => {
    const page = await pages.open(`#scenario=full&seed=7&step=${last("full")}&view=cost&item=cost/hybrid`)
    const [cost] = engine.costsOf(play("full"))
    const [hybrid] = engine.costsOf(play("hybrid"))
    await page.locator(".parts thead th", { hasText: "X25519MLKEM768" }).waitFor()
    const hello = await page.locator(".parts tbody tr").first().locator("td").allTextContents()
    const numbers = [cost!, hybrid!].map(({ parts }) => parts[0]!.bytes.toLocaleString("en"))
    expect(hello).toEqual(numbers)
    // Two connections of one scenario that differ by who computes: equal bytes.
    await page.locator(".lab-choice select").selectOption("fast")
    await page.locator(".parts thead th", { hasText: "With fast" }).waitFor()
    for (const row of await page.locator(".parts tbody tr").all()) {
      const [here, there] = await row.locator("td").allTextContents()
      expect(there).toBe(here)
    }
    await page.locator(".slider input").fill("200")
    await page.locator(".waterfall .time", { hasText: "500 ms" }).first().waitFor()
    await page.close()
  })

  it("has broken no policy, asked for nothing elsewhere, and complained of nothing", () => {
    expect(pages.problems).toEqual([])
  })
})
