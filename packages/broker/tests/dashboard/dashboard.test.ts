// The dashboard in a browser, over a real broker: what it says, and what can be done in it.

import { execFile } from "node:child_process"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { describe, expect, it } from "vitest"
import type { NodeModel } from "../../src/admin/http/model.ts"
import { mostReaders } from "../../src/admin/live.ts"
import { attachClient, useWorld, whyNot } from "./world.ts"

const world = useWorld()
const tcp = { type: "tcp", port: 0 } as const
const made = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now(), days: 5.5 })
const tls = { type: "tls", port: 0, cert: made.serverCert, key: made.serverKey } as const

describe.skipIf(whyNot !== undefined)(`in a browser${whyNot === undefined ? "" : ` (skipped: ${whyNot})`}`, () => {
  it("an empty broker says how to connect, and turns into the dashboard when the first client comes", async () => {
    const running = await world.start({ listeners: [tcp, tls] })
    const page = await world.open(running, "overview")
    await page.getByRole("heading", { name: "Connect the first client" }).waitFor()
    const commands = await page.locator(".copy pre").allTextContents()
    expect(commands).toContain(`mosquitto_pub -h 127.0.0.1 -p ${running.port("tcp")} -t demo/hello -m hello -r`)
    expect(commands.join("\n")).toContain(`-p ${running.port("tls")} --cafile ca.pem`)
    const client = await world.join(running, { clientId: "the-first" })
    await client.publishAsync("demo/hello", "hello", { retain: true })
    await page.getByText(/1 client connected/).waitFor()
    await expect.poll(() => page.locator(".verdict").isVisible()).toBe(true)
    await page.locator(".events", { hasText: "the-first" }).waitFor()
  })

  it("a client that speaks TLS 1.2 only is there with its reason within two seconds", { timeout: 90_000 }, async () => {
    const running = await world.start({ listeners: [tcp, tls] })
    await world.join(running, { clientId: "somebody" })
    const page = await world.open(running, "security")
    await page.getByText("live", { exact: true }).waitFor()
    // The machine may be busy: the best of three counts.
    const took: number[] = []
    for (let turn = 1; turn <= 3; turn++) {
      await speakTls12(running.port("tls"))
      const begun = performance.now()
      const all = page.locator("[aria-label='Handshakes that failed'] .happened > li")
      await expect.poll(() => all.count(), { interval: 20 }).toBe(turn)
      took.push(performance.now() - begun)
      expect(await all.first().textContent()).toContain("127.0.0.1 offered TLS 1.2 only; this broker speaks TLS 1.3.")
      expect(await all.first().textContent()).toContain("Update the client's TLS library")
    }
    expect(Math.min(...took)).toBeLessThan(2000)
    await page.goto(`${running.page}#/overview`)
    await page.locator(".verdict", { hasText: "3 TLS handshakes failed" }).waitFor()
  })

  it("a certificate that expires in five days is flagged, at once and in its table", async () => {
    const running = await world.start({ listeners: [tcp, tls] })
    await world.join(running, { clientId: "somebody" })
    const page = await world.open(running, "overview")
    const verdict = page.locator(".verdict.is-bad")
    await verdict.waitFor()
    expect(await verdict.textContent()).toMatch(/One thing needs you now.*certificate of tls.*expires in 5 days/)
    await page.goto(`${running.page}#/security`)
    expect(await page.locator(".tag.is-bad").first().textContent()).toBe("in 5 days")
  })

  it("disconnects a client, which is told why, once that is confirmed", async () => {
    const running = await world.start({ listeners: [tcp] })
    const client = await world.join(running, { clientId: "noisy" })
    const page = await world.open(running, "clients")
    await page.getByRole("link", { name: "noisy" }).click()
    await page.getByRole("button", { name: "Disconnect" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel(/Reason/).fill("too loud")
    await page.keyboard.press("Escape")
    await expect.poll(() => dialog.count()).toBe(0)
    expect(client.connected).toBe(true)
    await page.getByRole("button", { name: "Disconnect" }).click()
    await dialog.getByLabel(/Reason/).fill("too loud")
    const told = new Promise((resolve) => client.once("disconnect", resolve))
    await dialog.getByRole("button", { name: "Disconnect" }).click()
    expect(await told).toMatchObject({ reasonCode: 0x98, properties: { reasonString: "too loud" } })
    await page.getByText("There is no client and no session by this name now.").waitFor()
  })

  it("ten thousand clients: a page of the table at a time, a search, and a page that goes on", {
    timeout: 180_000,
  }, async () => {
    const running = await world.start({
      listeners: [tcp],
      limits: {
        connectTimeout: 600_000,
        maximumConnections: 20_000,
        maximumConnectionsPerAddress: 20_000,
        maximumConnectionsPerUser: 20_000,
        maximumSessions: 20_000,
        maximumSessionsPerOwner: 20_000,
        maximumTotalPartialBytes: 268_435_456,
        maximumTotalBytes: 1_073_741_824,
      },
      login: { anonymous: true },
    })
    for (let at = 0; at < 10_000; at++) attachClient(running.broker, `c-${String(at).padStart(5, "0")}`)
    await expect.poll(() => running.broker.stats().clientsConnected, { timeout: 90_000 }).toBe(10_000)
    const page = await world.open(running, "clients")
    const rows = page.locator("tbody tr")
    await expect.poll(() => rows.count()).toBe(50)
    await expect.poll(() => page.locator(".title").textContent()).toContain("10\u202f000 connected")
    // The second time nothing is there yet that it could go on from.
    await page.getByRole("button", { name: "Next" }).dblclick({ delay: 0 })
    await page.getByText("51 to 100").waitFor()
    expect(await rows.first().textContent()).toContain("c-00050")
    await page.getByLabel("Begins with").fill("c-0999")
    await expect.poll(() => rows.count()).toBe(10)
    expect(await rows.last().textContent()).toContain("c-09999")
    expect(page.url()).toContain("search=c-0999")
  })

  it("bridges: which are connected, and why one is not", async () => {
    const far = await world.start({ listeners: [tcp] })
    const rule = { filter: "#", direction: "out" } as const
    const running = await world.start({
      listeners: [tcp],
      bridges: [
        { name: "far", address: `mqtt://127.0.0.1:${far.port("tcp")}`, topics: [rule] },
        { name: "nobody", address: "mqtt://127.0.0.1:1", topics: [rule] },
      ],
    })
    const page = await world.open(running, "overview")
    const rows = page.getByLabel("Bridges to other brokers").locator("tbody tr")
    await expect.poll(() => rows.first().textContent()).toMatch(/^far.*connected/)
    await expect.poll(() => rows.last().textContent()).toMatch(/^nobody.*away.*ECONNREFUSED/)
    await page
      .getByText("The bridge nobody is not connected: connect ECONNREFUSED 127.0.0.1:1", { exact: false })
      .waitFor()
  })

  it("the nodes of a cluster: figures of who is there, the last ones of who is not heard, none of who is gone", async () => {
    const running = await world.start({ listeners: [tcp] })
    await world.join(running, { clientId: "somebody" })
    const page = await world.open(running, "overview", { width: 400 })
    const at = new Date().toISOString()
    const node = (name: string, state: NodeModel["state"]): NodeModel => ({
      ...{ id: name, name, state, version: "0.1.0", startedAt: at, heardAt: at },
      ...{ clients: 7, sessions: 8, receivedPerSecond: 9, sentPerSecond: 10 },
    })
    const nodes = [node("edge-1.hamburg.example", "this"), node("edge-2", "there")]
    const others = [node("edge-3", "unknown"), node("edge-4", "gone"), node("edge-5", "ended")]
    await page.route("**/api/v1/nodes", (route) => route.fulfill({ json: [...nodes, ...others] }))
    await page.reload()
    const table = page.getByLabel("Nodes of the cluster")
    await expect.poll(() => table.locator("tbody tr").count()).toBe(5)
    expect((await table.locator("thead").innerText()).trim().split(/\s+/)).toEqual(["Node", "Is", "Clients"])
    const clients = table.locator("td.number:visible")
    expect(await clients.allTextContents()).toEqual(["7", "7", "7", "–", "–"])
    expect(await clients.locator(".quiet").allTextContents()).toEqual(["7", "–", "–"])
    expect(await table.locator(".tag.is-look").allTextContents()).toEqual(["not heard", "gone"])
    expect(await table.locator("tbody th").first().textContent()).toBe("edge-1.hamburg.example")
    expect(await table.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0)
  })

  it("says that the connection is lost, and comes back by itself", { timeout: 90_000 }, async () => {
    const running = await world.start({ listeners: [tcp] })
    await world.join(running, { clientId: "before" })
    const [page, overview] = [await world.open(running, "clients"), await world.open(running, "overview")]
    for (const each of [page, overview]) await each.getByText("live", { exact: true }).waitFor()
    await overview.getByText(/All is well: 1 client connected/).waitFor()
    await running.broker.close()
    await overview
      .getByText(/The broker (does not answer|has not answered for .*): 1 client was connected then/)
      .waitFor()
    await page.getByText(/does not answer.*asked again by itself/).waitFor()
    const before = world.problems.length
    const again = await world.start({ listeners: [tcp] }, running.port("admin"), running.tokens)
    await world.join(again, { clientId: "after-all" })
    await page.getByText("live", { exact: true }).waitFor({ timeout: 30_000 })
    await page.getByRole("link", { name: "after-all" }).waitFor()
    expect(world.problems.length).toBe(before)
    // What the browser says of requests that nobody answered is as it should be.
    world.problems.splice(0)
  })

  it("says that events do not come where there are too many readers of them, and that they come again", async () => {
    const running = await world.start({ listeners: [tcp] })
    const headers = { authorization: `Bearer ${running.tokens.read}` }
    const readers = await Promise.all(
      Array.from({ length: mostReaders }, () => fetch(`${running.page}api/v1/events`, { headers })),
    )
    await world.join(running, { clientId: "here" })
    const page = await world.open(running, "overview")
    const problem = page.getByText("They do not come at the moment. There are 16 readers of events already")
    await problem.waitFor()
    for (const { body } of readers) await body?.cancel()
    await problem.waitFor({ state: "detached", timeout: 30_000 })
    // That one was refused is as it should be.
    world.problems.splice(0)
  })

  it("a wrong token, and one that may only read, in plain words", async () => {
    const running = await world.start({ listeners: [tcp] })
    await world.join(running, { clientId: "somebody" })
    const page = await world.open(running, "overview", { token: false })
    await page.getByLabel("Admin token").fill("puremq_wrong")
    await page.keyboard.press("Enter")
    await page.getByText("The broker does not know this token.").waitFor()
    world.problems.splice(0)
    await page.getByLabel("Admin token").fill(running.tokens.read)
    await page.keyboard.press("Enter")
    await page.getByText("read: may read").waitFor()
    expect(await page.getByRole("link", { name: "Operate" }).count()).toBe(0)
    expect(await page.evaluate("sessionStorage.length")).toBe(0)
    await page.goto(`${running.page}#/client?id=somebody`)
    await page.getByRole("heading", { name: "somebody" }).waitFor()
    await page.getByText("clean start").waitFor()
    expect(await page.getByRole("button", { name: "Disconnect" }).count()).toBe(0)
    await page.goto(`${running.page}#/operate`)
    await page.getByText("This token may only read.").waitFor()
  })

  it("reload, keys and drain say what came of them", async () => {
    const running = await world.start({ listeners: [tcp, tls] })
    await world.join(running, { clientId: "somebody" })
    const page = await world.open(running, "operate")
    await page.getByRole("button", { name: "Reload" }).click()
    await page.getByText("This broker was not started with files").waitFor()
    world.problems.splice(0)
    await page.getByRole("button", { name: "Rotate" }).click()
    await page.getByText("Tickets have a new key at tls").waitFor()
    await page.getByRole("button", { name: "Send clients elsewhere" }).click()
    await page.getByLabel(/Server Reference/).fill("other.example:8883")
    await page.getByRole("button", { name: "Send them" }).click()
    await page.getByText("under way").waitFor()
    await page.getByRole("button", { name: "Let clients in again" }).click()
    await page.getByText("Clients are let in again.").waitFor()
  })

  it("the console publishes, subscribes and shows user properties, over the broker's own listener", async () => {
    const running = await world.start({ listeners: [tcp, { type: "ws", port: 0 }] })
    await world.join(running, { clientId: "somebody" })
    const page = await world.open(running, "console")
    await page.getByRole("button", { name: "Connect" }).click()
    await page.locator(".tag", { hasText: /^connected$/ }).waitFor()
    await page.getByLabel("Topic filter").fill("demo/#")
    await page.getByRole("button", { name: "Subscribe" }).click()
    await page.getByLabel("Payload").fill("<b>hello</b>")
    await page.getByLabel(/User property/).fill("unit=°C")
    await page.getByLabel("Retain").check()
    await page.getByRole("button", { name: "Publish" }).click()
    const came = page.locator(".messages .is-in")
    await came.waitFor()
    expect(await came.textContent()).toMatch(/demo\/hello.*<b>hello<\/b>.*unit = °C/s)
    // The same connection shows a topic as it changes.
    await page.goto(`${running.page}#/topics?topic=demo/hello`)
    await page.locator(".payload", { hasText: "<b>hello</b>" }).waitFor()
    const client = await world.join(running, { clientId: "publisher" })
    await client.publishAsync("demo/hello", '{"value":1}', { retain: true })
    await page.getByText('Last message: {"value":1}').waitFor()
    await page.locator(".payload", { hasText: '"value": 1' }).waitFor()
  })

  it("without a listener for browsers the console says how to add one", async () => {
    const running = await world.start({ listeners: [tcp] })
    const page = await world.open(running, "console")
    await page.getByText(/has no listener for that/).waitFor()
    expect(await page.locator(".copy pre").textContent()).toContain('type = "wss"')
  })

  it("what peers send is text: never HTML, nothing that turns around or hides, bounded", {
    timeout: 90_000,
  }, async () => {
    const running = await world.start({ listeners: [tcp] })
    const hostile = '<img src=x onerror="document.title=1">'
    const turned = `a\u202eb\u2066c\u200bd`
    const client = await world.join(running, { clientId: `${hostile}${turned}` })
    await world.join(running, { clientId: "x".repeat(256) })
    await client.publishAsync(`${hostile}/${turned}`, `${hostile}${turned}\u0000`, { retain: true })
    await client.subscribeAsync(`${hostile}/#`)
    const page = await world.open(running, "overview")
    await page.getByText("live", { exact: true }).waitFor()
    for (const view of ["clients", "sessions", "subscriptions", "topics", "overview", "security"]) {
      await page.goto(`${running.page}#/${view}`)
      await page.locator(`a[aria-current][href="#/${view}"]`).waitFor()
      if (view !== "overview" && view !== "security") await page.locator("main", { hasText: "<img src=x" }).waitFor()
      const text = (await page.locator("body").textContent()) ?? ""
      for (const unseen of ["\u200b", "\u202e", "\u2066", "\u0000"]) expect(text, view).not.toContain(unseen)
      if (view === "clients") expect(text).toContain("a\\u202eb\\u2066c\\u200bd")
      if (view === "clients") expect(text).not.toContain("x".repeat(200))
      expect(await page.locator("img").count(), view).toBe(0)
      expect(
        Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth")),
        view,
      ).toBeLessThanOrEqual(0)
    }
    const topic = encodeURIComponent(`${hostile}/${turned}`)
    await page.goto(`${running.page}#/topics?topic=${topic}`)
    const payload = page.locator(".payload")
    await payload.waitFor()
    expect(await payload.textContent()).toBe(`${hostile}a\\u202eb\\u2066c\\u200bd\\u0000`)
    expect(await page.title()).not.toBe("1")
  })

  it("no page has said that anything went wrong", () => {
    expect(world.problems).toEqual([])
  })
})

/** Resolves when OpenSSL's client has given up. */
function speakTls12(port: number): Promise<void> {
  return new Promise((resolve) => {
    const child = execFile("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_2"], () => resolve())
    child.stdin?.end()
  })
}
