// A nats-server that keeps streams, where there is one: what the nodes of a cluster stand around.

import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { endedWithUs } from "./ending.ts"
import { busyTimeOfAll, freePort, hasStarted, listens } from "./programs.ts"

export interface NatsServer {
  readonly url: string
  /** Milliseconds of processor time until now; undefined where the system does not say. */
  busy(): number | undefined
  stop(): void
}

/** `NATS_SERVER`, of the PATH, or where `go install` puts it; undefined: nowhere. */
export function natsServerProgram(): string | undefined {
  const { NATS_SERVER: named, PATH = "" } = process.env
  if (named !== undefined && named !== "") return existsSync(named) ? named : undefined
  const folders = [...PATH.split(delimiter), join(homedir(), "go", "bin")]
  return folders.map((folder) => join(folder, "nats-server")).find((file) => existsSync(file))
}

/** @throws Error when it does not listen */
export async function startNatsServer(program: string): Promise<NatsServer> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  const args = ["--jetstream", "--addr", "127.0.0.1", "--port", `${port}`, "--store_dir", directory]
  const child = spawn(program, args, { stdio: "ignore" })
  const stop = endedWithUs(() => {
    child.kill("SIGKILL")
    rmSync(directory, { recursive: true, force: true })
  })
  if (!(await hasStarted(child)) || !(await listens(child, port))) {
    stop()
    throw new Error(`${program} does not listen: start it by hand to see why`)
  }
  return { url: `nats://127.0.0.1:${port}`, busy: () => busyTimeOfAll(child.pid!), stop }
}
