import { get } from "node:http"
import { connect } from "node:net"
import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { formatEvent, type LogEvent } from "./log.ts"
import { snapshot, toPrometheus } from "./metrics.ts"
import { startMetricsServer } from "./metrics-server.ts"

const quiet = { onFault: () => undefined, onRefused: () => undefined }

const peer = { transport: "tcp", address: "127.0.0.1:5" } as const
const refused: LogEvent = {
  event: "client refused",
  peer,
  clientId: "a b\n\u001b[31m",
  reason: "the client speaks HTTP",
}

describe("log lines", () => {
  it("text: one line, quoted where needed, without control characters", () => {
    const line = formatEvent(refused, "text", 0)
    expect(line).toBe(
      '1970-01-01T00:00:00.000Z client refused peer=127.0.0.1:5 transport=tcp clientId="a b\\n\\u001b[31m" reason="the client speaks HTTP"',
    )
  })

  it("json: one object a line with the same fields", () => {
    expect(JSON.parse(formatEvent(refused, "json", 0))).toEqual({
      time: "1970-01-01T00:00:00.000Z",
      event: "client refused",
      peer: "127.0.0.1:5",
      transport: "tcp",
      clientId: "a b\n\u001b[31m",
      reason: "the client speaks HTTP",
    })
  })

  it("a handshake", () => {
    const line = formatEvent(
      {
        event: "tls failure",
        peer: "127.0.0.1:5",
        listener: "tls",
        fault: "client",
        alert: "protocol_version",
        reason: "client offers TLS 1.2 at most",
        milliseconds: 3,
      },
      "text",
      0,
    )
    expect(line).toContain(
      'tls failure peer=127.0.0.1:5 listener=tls fault=client alert=protocol_version reason="client offers TLS 1.2 at most" milliseconds=3',
    )
  })
})

describe("numbers", () => {
  function numbers(): ReturnType<typeof snapshot> {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "x", { qos: 1, retain: true })
    pub.send([0xf0, 0])
    test.open().send([0])
    const will = { topic: "w", payload: new Uint8Array(98), qos: 0, retain: false, delayInterval: 0 } as const
    test.connect({ clientId: "mortal", will })
    const tls = { handshakes: 2, failures: new Map([['bad "one"', 1]]), pending: 3, waiting: 4, waitingBytes: 500 }
    return snapshot(test.broker, tls, 0, 5000, 7)
  }

  it("count what happened", () => {
    expect(numbers()).toMatchObject({
      uptimeSeconds: 5,
      connections: 2,
      clientsConnected: 2,
      sessions: 2,
      subscriptions: 1,
      retainedMessages: 1,
      connectionsOpened: 4,
      // What came instead of a CONNECT was refused, too.
      connectsReceived: 3,
      connectsAccepted: 3,
      connectsRefused: 1,
      publishReceived: 1,
      publishSent: 1,
      willBytes: 500,
      handshakes: 2,
      handshakesPending: 3,
      handshakesWaiting: 4,
      handshakeWaitingBytes: 500,
      disconnects: { "protocol error": 2 },
    })
  })

  it("Prometheus text has a line a number and a label a reason", () => {
    const lines = toPrometheus(numbers()).split("\n")
    expect(lines).toContain("puremq_clients_connected 2")
    expect(lines).toContain("# TYPE puremq_will_bytes gauge")
    expect(lines).toContain("puremq_will_bytes 500")
    expect(lines).toContain("# TYPE puremq_handshakes_pending gauge")
    expect(lines).toContain("puremq_handshakes_waiting 4")
    expect(lines).toContain("# TYPE puremq_clients_connected gauge")
    expect(lines).toContain("puremq_publish_received_total 1")
    expect(lines).toContain('puremq_disconnects_total{reason="protocol error"} 2')
    expect(lines).toContain('puremq_tls_handshake_failures_total{reason="bad \\"one\\""} 1')
    for (const line of lines) expect(line).toMatch(/^(# (TYPE|HELP) \w+ .+|\w+(\{reason=".*"\})? -?[\d.]+)?$/)
  })

  it("the metrics endpoint answers at /metrics only", async () => {
    const server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, numbers, quiet)
    const base = `http://127.0.0.1:${server.port}`
    const good = await fetch(`${base}/metrics`)
    expect([good.status, good.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"])
    expect(await good.text()).toContain("puremq_connections 2")
    expect((await fetch(`${base}/`)).status).toBe(404)
    expect((await fetch(`${base}/metrics`, { method: "POST" })).status).toBe(404)
    await server.close()
  })

  it("the metrics endpoint ends half a request, and one that never begins, in seconds", async () => {
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

  it("on a loopback address, the metrics endpoint takes the names of loopback addresses and those it is given", async () => {
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
})
