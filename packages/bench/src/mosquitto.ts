// Mosquitto with a TLS listener, where it is installed.

import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Pems } from "./contestants.ts"
import { endedWithUs } from "./ending.ts"
import { busyTime, freePort, hasStarted, listens } from "./programs.ts"

export interface Mosquitto {
  readonly port: number
  readonly pid: number
  /** Bytes of the process; undefined where the system does not say. */
  rss(): number | undefined
  /** Milliseconds of processor time until now. */
  busy(): number
  stop(): void
}

/** Undefined when it is not installed. */
export async function startMosquitto(pems: Pems): Promise<Mosquitto | undefined> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const lines = [
    `listener ${port} 127.0.0.1`,
    `certfile ${file("cert.pem", pems.cert)}`,
    `keyfile ${file("key.pem", pems.key)}`,
    "allow_anonymous true",
    "log_type error",
    // None is dropped for a queue that is full.
    "max_queued_messages 0",
    // Started by root it would be another user, who cannot read these files.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ]
  const child = spawn("mosquitto", ["-c", file("mosquitto.conf", `${lines.join("\n")}\n`)], { stdio: "ignore" })
  const stop = endedWithUs(() => {
    child.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  if (!(await hasStarted(child)) || !(await listens(child, port))) {
    stop()
    return undefined
  }
  const pid = child.pid!
  return { port, pid, rss: () => residentBytes(pid), busy: () => busyTime(pid), stop }
}

function residentBytes(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]
    return kib === undefined ? undefined : Number(kib) * 1024
  } catch {
    return undefined
  }
}
