// What `puremq pub` and `puremq sub` have in common: where to connect and as whom.

import { existsSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { join } from "node:path"
import type { Duplex } from "node:stream"
import { readText } from "../config/load.ts"
import type { ConnectRequest } from "../packet/codec.ts"
import { loadTls } from "../transport/tls-server.ts"
import type { Arguments } from "./arguments.ts"

export const connectionOptions = {
  host: { type: "string", short: "h" },
  port: { type: "string", short: "p" },
  tcp: { type: "boolean" },
  ca: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  insecure: { type: "boolean" },
  id: { type: "string", short: "i" },
  username: { type: "string", short: "u" },
  password: { type: "string", short: "P" },
  mqtt: { type: "string", short: "V" },
} as const

/** Opens the stream that the options ask for. */
export async function openStream(options: Arguments): Promise<Duplex> {
  const host = options.text("host") ?? "127.0.0.1"
  const tcp = options.flag("tcp")
  const port = options.number("port", 1, 65_535) ?? (tcp ? 1883 : 8883)
  if (tcp) return connectTcp({ host, port, noDelay: true })
  const { connect } = await loadTls()
  const own = join(".puremq", "ca.pem")
  const caFile = options.text("ca") ?? (existsSync(own) ? own : undefined)
  const read = (name: string, what: string) => {
    const file = options.text(name)
    return file === undefined ? undefined : readText(file, what)
  }
  const ca = caFile === undefined ? undefined : readText(caFile, "the authority")
  const cert = read("cert", "the client certificate")
  const key = read("key", "the client's private key")
  return connect({
    host,
    port,
    ...(!/^[\d.]+$|:/.test(host) && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ALPNProtocols: ["mqtt"],
    ...(options.flag("insecure") && { rejectUnauthorized: false }),
  })
}

export function connectRequest(options: Arguments): ConnectRequest {
  const version = options.oneOf("mqtt", "5", "3.1.1", "4", "mqttv5", "mqttv311") ?? "5"
  const username = options.text("username")
  const password = options.text("password") ?? (username === undefined ? undefined : passwordFromEnvironment())
  return {
    protocolVersion: version === "5" || version === "mqttv5" ? 5 : 4,
    clientId: options.text("id") ?? "",
    cleanStart: true,
    keepAlive: 60,
    username,
    password: password === undefined ? undefined : new TextEncoder().encode(password),
  }
}

export function qosOf(options: Arguments): 0 | 1 | 2 {
  const qos = options.oneOf("qos", "0", "1", "2") ?? "0"
  return qos === "2" ? 2 : qos === "1" ? 1 : 0
}

function passwordFromEnvironment(): string | undefined {
  const { PUREMQ_PASSWORD } = process.env
  return PUREMQ_PASSWORD
}
