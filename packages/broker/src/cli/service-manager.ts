// Tells systemd that the broker is ready (sd_notify(3)), where it has started it as Type=notify. Its socket is one for datagrams, which
// neither Node.js nor Deno nor Bun has without an addon: a program of systemd's says it instead.

import { spawn } from "node:child_process"
import type { ListenerAddress } from "../platform/node.ts"

const program = "systemd-notify"

/** Beside whatever else goes on. @param warn gets a sentence where that does not work: then systemd waits, and stops the broker */
export function tellReady(
  addresses: readonly ListenerAddress[],
  environment: Readonly<Record<string, string | undefined>>,
  warn: (text: string) => void,
): void {
  if (!environment["NOTIFY_SOCKET"]) return
  const places = addresses.map(({ name, host, port }) => `${name} on ${host}:${port}`).join(", ")
  const failed = (why: string) =>
    warn(`systemd was not told that the broker is ready, and will stop it: ${why}; set Type=exec in its unit`)
  const child = spawn(program, ["--ready", `--status=${places}`], { stdio: "ignore" })
  child.on("error", (error) => failed(`${program} cannot be started (${error.message})`))
  child.on("exit", (status, signal) => {
    if (status !== 0) failed(`${program} ended with ${status === null ? `${signal}` : `status ${status}`}`)
  })
}
