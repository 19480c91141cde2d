// What `puremq pub` and `puremq sub` have in common: where to connect and as whom.

import { existsSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { join } from "node:path"
import type { Duplex } from "node:stream"
import { visible } from "../admin/visible.ts"
import { checkCertificate, usableAuthorities } from "../config/certificate.ts"
import { readCertificates, readPrivateKey } from "../config/pem-file.ts"
import type { ConnectRequest } from "../packet/codec.ts"
import { loadTls } from "../transport/tls-server.ts"
import { type Arguments, UsageError } from "./arguments.ts"
import type { Target } from "./connection-error.ts"

export const connectionOptions = {
  host: { type: "string", short: "h" },
  port: { type: "string", short: "p" },
  tcp: { type: "boolean" },
  ca: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  "key-password-file": { type: "string" },
  insecure: { type: "boolean" },
  id: { type: "string", short: "i" },
  username: { type: "string", short: "u" },
  password: { type: "string", short: "P" },
  mqtt: { type: "string", short: "V" },
} as const

/** Opens the stream that the options ask for. */
export async function openStream(options: Arguments): Promise<{ readonly stream: Duplex; readonly target: Target }> {
  const host = options.text("host") ?? "127.0.0.1"
  const tcp = options.flag("tcp")
  const port = options.number("port", 1, 65_535) ?? (tcp ? 1883 : 8883)
  const target = { host, port, tls: !tcp }
  if (tcp) return { stream: connectTcp({ host, port, noDelay: true }), target }
  const own = join(".puremq", "ca.pem")
  const caFile = options.text("ca") ?? (existsSync(own) ? own : undefined)
  const ca =
    caFile === undefined ? undefined : usableAuthorities(readCertificates(caFile, "the authority"), caFile, warn)
  const credential = credentialOf(options)
  const { connect } = await loadTls()
  const stream = connect({
    host,
    port,
    ...(!/^[\d.]+$|:/.test(host) && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...credential,
    ALPNProtocols: ["mqtt"],
    ...(options.flag("insecure") && { rejectUnauthorized: false }),
  })
  return { stream, target }
}

/** The client certificate and its key, which are as they must be. Throws UsageError, ConfigError. */
function credentialOf(options: Arguments): { readonly cert: string; readonly key: string } | undefined {
  const [certFile, keyFile, passwordFile] = ["cert", "key", "key-password-file"].map((name) => options.text(name))
  if (certFile === undefined && keyFile === undefined && passwordFile === undefined) return undefined
  if (certFile === undefined) throw new UsageError("--key needs --cert: a certificate and its private key go together")
  if (keyFile === undefined) throw new UsageError("--cert needs --key: a certificate and its private key go together")
  const cert = readCertificates(certFile, "the client certificate")
  const key = readPrivateKey(keyFile, "the client's private key", passwordFile)
  checkCertificate(cert, key, { cert: certFile, key: keyFile }, Date.now())
  return { cert, key }
}

function warn(text: string): void {
  process.stderr.write(`puremq: ${visible(text)}\n`)
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
