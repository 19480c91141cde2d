// Our side of a run: the commands `tls13` and `puremq`, as processes.

import { basename } from "node:path"
import { files, inRoot, newFolder, writeFile } from "./files.ts"
import type { Program, Run } from "./program.ts"

const tls13 = inRoot("packages/tls13/bin/tls13.js")
const puremq = inRoot("packages/broker/bin/puremq.js")

export interface OurServer {
  readonly port: number
  readonly program: Program
}

export const ourCertificate = ["--cert", files.cert, "--key", files.key] as const

/** `tls13 serve`, with what is given; it is listening. */
export async function serve(run: Run, args: readonly string[]): Promise<OurServer> {
  const program = run.start(process.execPath, [tls13, "serve", "127.0.0.1:0", ...args])
  const [, port] = await program.prints(/^listening on .*:(\d+)$/m)
  return { port: Number(port), program }
}

/** `tls13 connect` to a server on this machine that has our certificate. */
export function connect(run: Run, port: number, args: readonly string[]): Program {
  return run.start(process.execPath, [...[tls13, "connect", `127.0.0.1:${port}`, "--servername", "localhost"], ...args])
}

export const trust = ["--ca", files.ca] as const
export const clientCertificate = ["--cert", files.clientCert, "--key", files.clientKey] as const

/** `puremq start --config` with one TLS listener; what is given stands in the file. */
export async function startConfiguredBroker(
  run: Run,
  listener: Readonly<Record<string, unknown>>,
  rest: Readonly<Record<string, unknown>>,
): Promise<number> {
  const store = newFolder("store")
  const tls = { type: "tls", host: "127.0.0.1", port: 0, cert: files.cert, key: files.key, ...listener }
  const config = { listeners: [tls], store: { directory: store }, ...rest }
  const file = writeFile(`${basename(store)}.json`, JSON.stringify(config))
  const program = run.start(process.execPath, [puremq, "start", "--config", file])
  const [, port] = await program.prints(/\btls\b.*127\.0\.0\.1:(\d+)/)
  return Number(port)
}

/** `puremq start`; the ports by the names of its options. */
export async function startBroker(
  run: Run,
  listeners: readonly ("tls" | "wss" | "metrics")[],
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
): Promise<{ readonly ports: Readonly<Record<string, number>>; readonly program: Program }> {
  const addresses = listeners.flatMap((name) => [`--${name}`, "127.0.0.1:0"])
  const noTls = listeners.includes("tls") ? [] : ["--no-tls"]
  const program = run.start(process.execPath, [
    ...[...nodeArgs, puremq, "start", ...addresses, ...noTls],
    ...["--cert", files.cert, "--key", files.key, "--data", newFolder("store"), ...args],
  ])
  const ports: Record<string, number> = {}
  for (const name of listeners) {
    const [, port] = await program.prints(new RegExp(`\\b${name}\\b.*127\\.0\\.0\\.1:(\\d+)`))
    ports[name] = Number(port)
  }
  return { ports, program }
}

/** `puremq pub`, `puremq sub` or `puremq rr`. */
export function puremqClient(run: Run, command: "pub" | "sub", port: number, args: readonly string[]): Program {
  return run.start(process.execPath, [
    puremq,
    command,
    "-h",
    "localhost",
    "-p",
    `${port}`,
    "--cafile",
    files.ca,
    ...args,
  ])
}
