import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, describe, expect, it } from "vitest"
import { connect } from "../adapters/node/connect.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-descriptors-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(process.platform === "win32")("tls13 serve without descriptors", () => {
  it("says so, at most once a second, and goes on when there are some", async () => {
    const outfile = join(folder, "tls13.mjs")
    const entryPoints = [fileURLToPath(new URL("main.ts", import.meta.url))]
    await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" })
    const line = [process.execPath, outfile, "serve", "0", "--echo"]
    const child = spawn("sh", ["-c", 'ulimit -n 60; exec "$@"', "sh", ...line])
    let told = ""
    child.stderr.on("data", (data) => (told += data))
    const sockets: { destroy(): unknown }[] = []
    try {
      await expect.poll(() => told, { timeout: 60_000 }).toMatch(/listening on .*:(\d+)/)
      const port = Number(/listening on .*:(\d+)/.exec(told)?.[1])
      const begun = performance.now()
      for (let n = 0; n < 60; n++) {
        const socket = connectTcp({ host: "127.0.0.1", port })
        sockets.push(socket)
        socket.on("error", () => undefined).resume()
      }
      const full = /^cannot take connections, and closes those that come: too many open files; raise .*ulimit -n/gm
      await expect.poll(() => told.match(full)?.length ?? 0, { timeout: 30_000 }).toBeGreaterThan(1)
      expect(told.match(full)?.length).toBeLessThanOrEqual(1 + (performance.now() - begun) / 1000)
      for (const socket of sockets) socket.destroy()
      const getsIn = async () => {
        const client = connect({ host: "127.0.0.1", port, rejectUnauthorized: false })
        sockets.push(client)
        client.on("error", () => undefined)
        client.write("hello")
        const [data] = await Promise.race([once(client, "data"), once(client, "close")])
        return String(data)
      }
      await expect.poll(getsIn, { timeout: 30_000 }).toBe("hello")
    } finally {
      for (const socket of sockets) socket.destroy()
      child.kill()
      await once(child, "close")
    }
  }, 120_000)
})
