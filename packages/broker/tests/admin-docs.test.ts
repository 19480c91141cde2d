// The commands of docs/admin.md, as a reader would type them: one block after the other, in one folder, beside a broker of the first.

import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import mqtt from "mqtt"
import { afterAll, beforeAll, expect, it } from "vitest"
import { freePort } from "../../../scripts/snippets/world.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const page = readFileSync(join(root, "docs/admin.md"), "utf8")
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text)
const hasCurl = spawnSync("curl", ["--version"]).error === undefined

let folder = ""
let port = 0
let mqttPort = 0
let broker: ChildProcess | undefined
let log = ""

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "puremq-admin-docs-"))
  port = await freePort()
  mqttPort = await freePort()
  mkdirSync(join(folder, "bin"))
  const puremq = join(root, "packages/broker/bin/puremq.js")
  writeFileSync(join(folder, "bin/npx"), `#!/bin/sh\nshift\nexec "${process.execPath}" "${puremq}" "$@"\n`)
  chmodSync(join(folder, "bin/npx"), 0o755)
})

afterAll(async () => {
  if (broker?.exitCode === null) {
    const closed = new Promise((resolve) => broker?.once("close", resolve))
    broker.kill()
    await closed
  }
  rmSync(folder, { recursive: true, force: true })
})

function run(script: string) {
  const placed = script.replaceAll("8884", `${port}`)
  const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"]}` }
  return spawnSync("bash", ["-e", "-c", placed], { cwd: folder, env, encoding: "utf8", timeout: 60_000 })
}

it.skipIf(!hasCurl)("each command of docs/admin.md works", { timeout: 180_000 }, async () => {
  const [start = "", read = "", events = "", operate = ""] = blocks
  expect(blocks).toHaveLength(4)
  const [makeToken = "", startBroker = ""] = start.trim().split("\n")
  expect(run(makeToken)).toMatchObject({ status: 0, stderr: "" })
  expect(readFileSync(join(folder, "admin-token"), "utf8")).toMatch(/^puremq_/)
  const words = startBroker.replaceAll("8884", `${port}`).split(" ").slice(2)
  const more = ["--no-tls", "--tcp", `${mqttPort}`, "--store", "memory", "--log", "text"]
  broker = spawn(process.execPath, [join(root, "packages/broker/bin/puremq.js"), ...words, ...more], { cwd: folder })
  for (const stream of [broker.stdout, broker.stderr]) stream?.on("data", (data) => (log += data))
  await expect.poll(() => log, { timeout: 60_000 }).toContain(`admin on 127.0.0.1:${port}`)
  const client = await mqtt.connectAsync({
    protocol: "mqtt",
    host: "127.0.0.1",
    port: mqttPort,
    protocolVersion: 5,
    clientId: "device-7",
    clean: false,
    properties: { sessionExpiryInterval: 1000 },
    reconnectPeriod: 0,
  })
  await client.subscribeAsync("demo/#")
  const shown = run(read)
  expect({ status: shown.status, errors: shown.stderr }).toEqual({ status: 0, errors: "" })
  for (const text of ['{"status":"ok"}', '"clientId":"device-7"', '"filter":"demo/#"', '"name":"admin"'])
    expect(shown.stdout).toContain(text)
  // The variables of the block before are those of the reader's shell.
  const variables = read.split("\n").find((line) => line.startsWith("api="))
  const watching = run(`${variables}\n${events}`)
  expect(watching).toMatchObject({ status: 0, stdout: expect.stringContaining(": events of the broker") })
  const done = run(`${variables}\n${operate}`)
  expect({ status: done.status, errors: done.stderr }).toEqual({ status: 0, errors: "" })
  expect(done.stdout).toContain('"text":"on"')
  await expect.poll(() => log.match(/admin operation .*outcome=done/g)?.length).toBe(8)
  expect(log).toMatch(
    /admin operation token=me peer=127.0.0.1:\d+ operation=disconnectClient target=device-7 outcome=done/,
  )
  client.end(true)
})

it("each request on the page is one of the API's, and each route is on the page", async () => {
  const { createAdminApp } = await import("../src/admin/http/app.ts")
  const { routes } = createAdminApp({
    parts: {} as Parameters<typeof createAdminApp>[0]["parts"],
    tokens: () => [],
    onRefused: () => undefined,
    onFault: () => undefined,
  })
  const missing = routes.map(({ path }) => path.replace("/api/v1", "")).filter((path) => !page.includes(path))
  expect(missing).toEqual([])
})
