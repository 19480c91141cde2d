// Brokers with a dashboard, and a browser that looks at it: Debian's Chromium, and no network but loopback.

import { createHash, randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { Duplex } from "node:stream"
import mqtt from "mqtt"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, afterEach, beforeAll } from "vitest"
import { type BrokerConfig, createBroker, type ListenerAddress, type PureMqBroker } from "../../src/index.ts"

const executablePath = process.env["PUREMQ_CHROMIUM"] ?? "/usr/bin/chromium"

/** Why the tests cannot run here; undefined: they can. */
export const whyNot: string | undefined = existsSync(executablePath)
  ? undefined
  : `${executablePath} does not exist: install chromium, or name one in PUREMQ_CHROMIUM`

export interface Running {
  readonly broker: PureMqBroker
  readonly addresses: readonly ListenerAddress[]
  /** Of the dashboard, with its slash. */
  readonly page: string
  readonly tokens: { readonly read: string; readonly operate: string }
  port(type: ListenerAddress["type"]): number
}

export interface Look {
  readonly width?: number
  readonly height?: number
  readonly scheme?: "light" | "dark"
  /** Default: one that may operate. */
  readonly scope?: "read" | "operate"
  /** False: the page asks for one. */
  readonly token?: boolean
}

export interface World {
  start(config: Omit<BrokerConfig, "admin">, adminPort?: number, tokens?: Running["tokens"]): Promise<Running>
  /** Opens a view, such as `clients`. */
  open(running: Running, view: string, look?: Look): Promise<Page>
  /** An MQTT client of another make. */
  join(running: Running, options: mqtt.IClientOptions): Promise<mqtt.MqttClient>
  /** What went wrong in any page: errors, messages of the console, refused by the policy, addresses elsewhere. */
  readonly problems: string[]
}

/** For a test file: one browser, and after each test all that it has opened is closed. */
export function useWorld(): World {
  const problems: string[] = []
  const opened: (() => unknown)[] = []
  let browser: Browser
  beforeAll(async () => {
    if (whyNot === undefined) browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
  }, 60_000)
  afterAll(async () => {
    if (whyNot === undefined) await browser.close()
  })
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close()
  })
  return {
    problems,
    async start(config, adminPort = 0, tokens = { read: newToken(), operate: newToken() }) {
      const lines = Object.entries(tokens).map(
        ([name, token]) => `${name}:${name}:${createHash("sha256").update(token).digest("hex")}\n`,
      )
      const admin = { host: "127.0.0.1", port: adminPort, tokens: lines.join("") }
      const broker = createBroker({ onEvent: () => undefined, ...config, admin })
      const addresses = await broker.listen()
      opened.push(() => broker.close())
      const port = (type: ListenerAddress["type"]) => addresses.find((each) => each.type === type)?.port ?? 0
      return { broker, addresses, page: `http://127.0.0.1:${port("admin")}/`, tokens, port }
    },
    async open({ page: address, tokens, addresses }, view, look = {}) {
      const { width = 1280, height = 900, scheme = "light", scope = "operate", token = true } = look
      const page = await browser.newPage({
        viewport: { width, height },
        colorScheme: scheme,
        reducedMotion: "reduce",
      })
      opened.push(() => page.close())
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") problems.push(message.text())
      })
      page.on("pageerror", (error) => problems.push(error.message))
      page.on("request", (request) => {
        if (!addresses.some(({ port }) => new URL(request.url()).host === `127.0.0.1:${port}`))
          problems.push(`asks for ${request.url()}`)
      })
      await page.addInitScript(
        'addEventListener("securitypolicyviolation", (event) => console.error("policy: " + event.violatedDirective))',
      )
      if (token) await page.addInitScript(`sessionStorage.setItem("puremq-token", ${JSON.stringify(tokens[scope])})`)
      await page.goto(`${address}#/${view}`)
      await page.locator(token ? "main[tabindex]" : "main.login").waitFor()
      return page
    },
    async join(running, options) {
      const client = mqtt.connect({
        host: "127.0.0.1",
        port: running.port("tcp"),
        protocolVersion: 5,
        reconnectPeriod: 0,
        ...options,
      })
      opened.push(() => client.endAsync(true))
      client.on("error", () => undefined)
      await new Promise<void>((resolve, reject) => {
        client.once("connect", () => resolve())
        client.once("close", () => reject(new Error("the client was not let in")))
      })
      return client
    },
  }
}

function newToken(): string {
  return `puremq_${randomBytes(32).toString("base64url")}`
}

/** A connection inside the process: it says CONNECT, and reads what comes. */
export function attachClient(broker: PureMqBroker, clientId: string): void {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  const name = Buffer.from(clientId)
  const head = [0x10, 12 + name.length, 0, 4, ...Buffer.from("MQTT"), 4, 2, 0, 0, name.length >> 8, name.length & 0xff]
  broker.attach(stream, { address: "embedded" })
  stream.push(Buffer.concat([Buffer.from(head), name]))
}
