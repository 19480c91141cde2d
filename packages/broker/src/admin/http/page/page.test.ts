// What the admin listener answers to who asks for its page, with a real broker and a plain client of HTTP.

import { get } from "node:http"
import { afterEach, describe, expect, it } from "vitest"
import { createBroker, type PureMqBroker } from "../../../platform/node.ts"
import { pageFiles } from "./files.ts"
import { DashboardPage } from "./page.ts"

/** Bytes of gzip, of all files together. */
const budget = 120_000

let broker: PureMqBroker | undefined
afterEach(() => broker?.close())

async function start(): Promise<{ readonly admin: number; readonly ws: number }> {
  broker = createBroker({
    listeners: [{ type: "ws", port: 0 }],
    admin: { host: "127.0.0.1", port: 0, tokens: "" },
    onEvent: () => undefined,
  })
  const addresses = await broker.listen()
  const port = (type: string) => addresses.find((each) => each.type === type)?.port ?? 0
  return { admin: port("admin"), ws: port("ws") }
}

const named = (ending: string) => pageFiles.find(({ path }) => path.endsWith(ending))!.path

describe("the dashboard's files", () => {
  it("need no token, and no others are there without one", async () => {
    const { admin } = await start()
    const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${admin}${path}`, init)
    for (const { path, type } of pageFiles) {
      const response = await at(path)
      expect([path, response.status, response.headers.get("content-type")]).toEqual([path, 200, type])
      expect((await response.text()).length).toBeGreaterThan(100)
    }
    const others = ["/index.html", "/page.js", "/..%2fpackage.json", "//", "/icon.svg/", "/api/v1/broker"]
    for (const path of others) expect([path, (await at(path)).status]).toEqual([path, 401])
    expect((await at("/", { method: "POST" })).status).toBe(401)
  })

  it("have a policy that lets them speak to this broker alone, and be in no frame", async () => {
    const { admin, ws } = await start()
    const { headers } = await fetch(`http://127.0.0.1:${admin}/`)
    const policy = headers.get("content-security-policy")
    expect(policy?.split("; ")).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src 'self' ws://127.0.0.1:${ws}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
    expect(headers.get("x-content-type-options")).toBe("nosniff")
    expect(headers.get("referrer-policy")).toBe("no-referrer")
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin")
  })

  it("nothing of a Host gets into the policy but a name", () => {
    const page = new DashboardPage()
    const listeners = [{ name: "ws", type: "ws", host: "0.0.0.0", port: 8083 }]
    const policyFor = (host: string | undefined) =>
      /connect-src ([^;]*)/.exec(
        page
          .answer({ method: "GET", url: "/", headers: { host } }, listeners)
          ?.headers.get("content-security-policy") ?? "",
      )?.[1]
    expect(policyFor("broker.example:9000")).toBe("'self' ws://broker.example:8083")
    for (const host of [undefined, "[::1]:9000", "a;script-src:1", "a b", "a'", "*"])
      expect(policyFor(host)).toBe("'self' ws://*:8083")
  })

  it("are kept by who has them: for good where their name is of their bytes, else when they are the same", async () => {
    const { admin } = await start()
    const at = (path: string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${admin}${path}`, { headers })
    const script = await at(named(".js"))
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable")
    const page = await at("/")
    expect(page.headers.get("cache-control")).toBe("no-cache")
    const etag = page.headers.get("etag") ?? ""
    expect(etag).toMatch(/^"[\w-]{22}"$/)
    const again = await at("/", { "if-none-match": `"other", ${etag}` })
    expect([again.status, await again.text()]).toEqual([304, ""])
    expect((await at("/", { "if-none-match": '"other"' })).status).toBe(200)
  })

  it("come compressed to who takes that, and the same otherwise; HEAD has the head alone", async () => {
    const { admin } = await start()
    const asked = (method: string, encoding: string) =>
      new Promise<{ readonly encoding: string | undefined; readonly length: number }>((resolve) => {
        const headers = { "accept-encoding": encoding }
        get({ host: "127.0.0.1", port: admin, path: named(".js"), method, headers }, (response) => {
          let length = 0
          response.on("data", (part: Buffer) => {
            length += part.length
          })
          response.on("end", () => resolve({ encoding: response.headers["content-encoding"], length }))
        })
      })
    const [packed, plain] = [await asked("GET", "br, gzip"), await asked("GET", "gzip;q=0, identity")]
    expect(packed.encoding).toBe("gzip")
    expect(plain.encoding).toBe(undefined)
    expect(plain.length).toBeGreaterThan(packed.length * 2)
    expect((await asked("HEAD", "gzip")).length).toBe(0)
  })

  it(`are under ${budget} bytes of gzip together`, () => {
    const bytes = pageFiles.reduce((sum, { gzip }) => sum + Buffer.from(gzip, "base64").length, 0)
    expect(bytes).toBeLessThan(budget)
    expect(bytes).toBeGreaterThan(30_000)
  })

  it("have nothing inline, and no address elsewhere", async () => {
    const { admin } = await start()
    const text = await (await fetch(`http://127.0.0.1:${admin}/`)).text()
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style|style=| on\w+=/)
    const script = await (await fetch(`http://127.0.0.1:${admin}${named(".js")}`)).text()
    expect(script.match(/https?:\/\/[\w.]+/g) ?? []).toEqual(script.match(/http:\/\/www\.w3\.org/g) ?? [])
  })
})
