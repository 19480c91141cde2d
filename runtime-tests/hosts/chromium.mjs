// Chromium, headless: client and server in one page, whose import map says where the files of the installed packages are; and a page
// that reaches a started broker's TLS port through a WebSocket.

import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { connect } from "node:net"
import { extname, join } from "node:path"
import { modulesOf } from "../modules.mjs"
import { withBroker } from "./broker.mjs"

const executablePath = process.env.PUREMQ_CHROMIUM ?? "/usr/bin/chromium"
const args = ["--no-sandbox", "--js-flags=--expose-gc", "--enable-precise-memory-info"]

export const chromium = {
  name: "chromium",
  title: "Chromium",
  version: undefined,
  async prepare() {
    if (existsSync(executablePath)) return undefined
    return `${executablePath} does not exist: install chromium, or name one in PUREMQ_CHROMIUM`
  },
  run: (world, scenarios) =>
    withPage(world, async (page, version) => {
      chromium.version = version
      const results = []
      const lent = { certificates: world.setting.certificates, now: world.setting.now }
      for (const name of scenarios) {
        const call = `runScenario(${JSON.stringify(name)}, ${JSON.stringify(lent)})`
        const result = await page.evaluate(call).catch((error) => ({ error: error.message }))
        results.push({ name, ...result })
      }
      results.push({ memory: await page.evaluate("gc(), performance.memory.usedJSHeapSize") })
      return results
    }),
  checks: {
    "MQTT through a WebSocket": (world) =>
      withPage(world, (page) =>
        withBroker(world, (port) =>
          withTunnel(world, port, async (url) => {
            const call = `subscribeThroughTunnel(${JSON.stringify(url)}, ${JSON.stringify(world.setting.ca)})`
            return [await page.evaluate(call)]
          }),
        ),
      ),
  },
}

async function withPage({ folder }, work) {
  const { chromium: launcher } = await import("playwright-core")
  const imports = {}
  for (const each of modulesOf(folder, "runtimes/page.js").values()) {
    for (const [specifier, path] of each.imports) if (!specifier.startsWith(".")) imports[specifier] = `/${path}`
  }
  const script = '<script type="module" src="/runtimes/page.js"></script>'
  const html = `<!doctype html><title>page</title><script type="importmap">${JSON.stringify({ imports })}</script>${script}`
  const server = createServer((request, response) => {
    const path = request.url === "/" ? undefined : join(folder, request.url)
    if (path !== undefined && !existsSync(path)) return void response.writeHead(404).end()
    response.setHeader("content-type", path === undefined ? "text/html" : types[extname(path)])
    response.end(path === undefined ? html : readFileSync(path))
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const browser = await launcher.launch({ executablePath, args })
  try {
    const page = await browser.newPage()
    const problems = []
    page.on("pageerror", (error) => problems.push(error.message))
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    const loaded = await page.waitForFunction("'runScenario' in globalThis", undefined, { timeout: 30_000 }).then(
      () => true,
      () => false,
    )
    if (!loaded) throw new Error(`the page did not load: ${problems.join("; ")}`)
    return await work(page, browser.version())
  } finally {
    await browser.close()
    server.close()
  }
}

const types = { ".js": "text/javascript", ".map": "application/json" }

/** WebSocket messages to TCP bytes, and back. */
async function withTunnel({ folder }, port, work) {
  const { WebSocketServer } = createRequire(join(folder, "node_modules/@puremq/broker/package.json"))("ws")
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
  server.on("connection", (webSocket) => {
    const socket = connect(port, "127.0.0.1")
    webSocket.on("message", (data) => socket.write(data))
    webSocket.on("close", () => socket.end())
    socket.on("data", (data) => webSocket.send(data))
    socket.on("close", () => webSocket.close())
    socket.on("error", () => webSocket.terminate())
  })
  await new Promise((resolve) => server.on("listening", resolve))
  try {
    return await work(`ws://127.0.0.1:${server.address().port}`)
  } finally {
    for (const client of server.clients) client.terminate()
    server.close()
  }
}
