// The endpoint of the metrics: what it answers, and whom.

import { get } from "node:http"
import { request as secureRequest } from "node:https"
import { connect, type Socket } from "node:net"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { createServer as createTlsServer } from "@puremq/tls13/node"
import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { metricSources } from "../../tests/metric-sources.ts"
import { type Stats, snapshot } from "./metrics.ts"
import { type MetricsOptions, startMetricsServer } from "./metrics-server.ts"

const quiet = { onFault: () => undefined, onHandshake: () => undefined, onRefused: () => undefined }

const numbers = (): Stats => {
  const test = new TestBroker()
  for (const clientId of ["a", "b"]) test.connect({ clientId })
  return snapshot(test.broker, metricSources())
}

describe("the metrics endpoint", () => {
  it("answers at /metrics only", async () => {
    const server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, numbers, quiet)
    const base = `http://127.0.0.1:${server.port}`
    const good = await fetch(`${base}/metrics`)
    expect([good.status, good.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"])
    expect(await good.text()).toContain("puremq_connections 2")
    expect((await fetch(`${base}/`)).status).toBe(404)
    expect((await fetch(`${base}/metrics`, { method: "POST" })).status).toBe(404)
    await server.close()
  })

  it("ends half a request, and one that never begins, in seconds", async () => {
    const server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, numbers, quiet)
    const ended = ["GET /metrics HTTP/1.1\r\n", ""].map(async (part) => {
      const socket = connect(server.port, "127.0.0.1").on("error", () => undefined)
      socket.resume().write(part)
      const begun = performance.now()
      await new Promise((resolve) => socket.once("close", resolve))
      return performance.now() - begun
    })
    for (const milliseconds of await Promise.all(ended)) expect(milliseconds).toBeLessThan(25_000)
    await server.close()
  }, 60_000)

  it("on a loopback address, takes the names of loopback addresses and those it is given", async () => {
    const refused: string[] = []
    const onRefused = (_kind: string, text: string) => refused.push(text)
    const options = { host: "127.0.0.1", port: 0, hosts: ["metrics.example"] }
    const server = await startMetricsServer(options, numbers, { ...quiet, onRefused })
    const statusFor = (host: string) =>
      new Promise<number | undefined>((resolve) => {
        get({ host: "127.0.0.1", port: server.port, path: "/metrics", headers: { host } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
      })
    const hosts = [
      "localhost",
      `127.0.0.1:${server.port}`,
      "[::1]",
      "metrics.example:80",
      "evil.example",
      "localhost.evil.example",
    ]
    expect(await Promise.all(hosts.map(statusFor))).toEqual([200, 200, 200, 200, 403, 403])
    expect(refused).toHaveLength(2)
    await server.close()
  })

  it("a defect while metrics are made ends that request, told once, and not the server", async () => {
    const faults: unknown[] = []
    const defect = new Error("a defect")
    let broken = true
    const stats = () => {
      if (broken) throw defect
      return numbers()
    }
    const onFault = (error: unknown) => faults.push(error)
    const server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, stats, { ...quiet, onFault })
    const url = `http://127.0.0.1:${server.port}/metrics`
    await expect(fetch(url)).rejects.toThrow()
    expect(faults).toEqual([defect])
    broken = false
    expect((await fetch(url)).status).toBe(200)
    await server.close()
  })

  it("answers in OpenMetrics to who asks for it", async () => {
    const server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, numbers, quiet)
    const headers = { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" }
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers })
    expect(response.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8")
    expect(await response.text()).toMatch(/# EOF\n$/)
    await server.close()
  })
})

describe("who may read the metrics", () => {
  const made = createDevelopmentCertificates({ names: ["localhost"], clientName: "scraper", now: Date.now() })
  const other = createDevelopmentCertificates({ names: ["localhost"], clientName: "scraper", now: Date.now() })
  const [cert, key, ca] = [made.serverCert, made.serverKey, made.caCert]
  const [oldToken, newToken] = ["0123456789abcdef-old", "0123456789abcdef-new"]

  async function serving(
    options: Partial<MetricsOptions>,
    work: (server: Awaited<ReturnType<typeof startMetricsServer>>, refused: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const refused: string[] = []
    const onRefused = (_kind: string, text: string) => void refused.push(text)
    const given = { host: "127.0.0.1", port: 0, createTlsServer, ...options }
    const server = await startMetricsServer(given, numbers, { ...quiet, onRefused })
    try {
      await work(server, refused)
    } finally {
      await server.close()
    }
  }

  const authorized = (port: number, authorization?: string) =>
    fetch(`http://127.0.0.1:${port}/metrics`, { ...(authorization !== undefined && { headers: { authorization } }) })

  /** The status, or "no connection". */
  function overTls(port: number, options: object = {}): Promise<number | string | undefined> {
    return new Promise((resolve) => {
      const asked = { host: "localhost", port, path: "/metrics", ca: made.caCert, agent: false, ...options }
      secureRequest(asked, (response) => {
        response.resume().on("end", () => resolve(response.statusCode))
      })
        .on("error", () => resolve("no connection"))
        .end()
    })
  }

  it("who shows one of the tokens", async () => {
    await serving({ tokens: [oldToken, newToken] }, async ({ port }, refused) => {
      const shown = [
        `Bearer ${oldToken}`,
        `bearer ${newToken}`,
        undefined,
        "Bearer ",
        oldToken,
        `Basic ${oldToken}`,
        `Bearer ${oldToken}x`,
        `Bearer ${oldToken.slice(1)}`,
        `Bearer ${oldToken},${newToken}`,
      ]
      const statuses = []
      for (const one of shown) statuses.push((await authorized(port, one)).status)
      expect(statuses).toEqual([200, 200, 401, 401, 401, 401, 401, 401, 401])
      const response = await authorized(port)
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="metrics"')
      expect(await response.text()).not.toContain("puremq_")
      expect(refused[0]).toMatch(/^metrics for 127\.0\.0\.1:\d+ refused: no token was shown$/)
      for (const line of refused) expect(line).not.toContain(oldToken)
    })
  })

  it("other paths tell nothing without a token either", async () => {
    await serving({ tokens: [oldToken] }, async ({ port }) => {
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401)
    })
  })

  it("over TLS 1.3: who trusts the certificate, and no one in the clear", async () => {
    await serving({ tls: { cert, key } }, async ({ port, certificate }) => {
      expect(certificate).toBe(cert)
      expect(await overTls(port)).toBe(200)
      expect(await overTls(port, { maxVersion: "TLSv1.2" })).toBe("no connection")
      expect(await overTls(port, { ca: other.caCert })).toBe("no connection")
      await expect(authorized(port)).rejects.toThrow()
    })
  })

  it("with authorities: who shows a certificate of theirs", async () => {
    await serving({ tls: { cert, key, ca } }, async ({ port }) => {
      expect(await overTls(port, { cert: made.clientCert, key: made.clientKey })).toBe(200)
      expect(await overTls(port)).toBe("no connection")
      expect(await overTls(port, { cert: other.clientCert, key: other.clientKey })).toBe("no connection")
    })
  })

  it("renewed: other tokens and certificates are for the requests to come", async () => {
    const tls = { cert: other.serverCert, key: other.serverKey }
    await serving({ tls: { cert, key }, tokens: [oldToken] }, async (server) => {
      const status = (token: string, authority: string) =>
        overTls(server.port, { ca: authority, headers: { authorization: `Bearer ${token}` } })
      expect(await status(oldToken, ca)).toBe(200)
      server.renew({ tls, tokens: [newToken] })
      expect(server.certificate).toBe(tls.cert)
      expect(await status(newToken, other.caCert)).toBe(200)
      expect(await status(oldToken, other.caCert)).toBe(401)
      expect(await status(newToken, ca)).toBe("no connection")
    })
  })

  it("one address has 8 handshakes under way and 16 that wait, and the next is closed at once", async () => {
    await serving({ tls: { cert, key } }, async ({ port }) => {
      const sockets: Socket[] = []
      const closed: number[] = []
      const open = async () => {
        const which = sockets.length
        const socket = connect(port, "127.0.0.1").on("error", () => undefined)
        sockets.push(socket)
        socket.resume().once("close", () => closed.push(which))
        await new Promise((resolve) => socket.once("connect", resolve))
      }
      for (let i = 0; i < 24; i++) await open()
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(closed).toEqual([])
      await open()
      await expect.poll(() => closed).toEqual([24])
      for (const socket of sockets) socket.destroy()
    })
  })
})
