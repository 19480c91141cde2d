// Programs that are no part of this: started, waited for, and what they compute.

import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import net, { type AddressInfo } from "node:net"

/** False when there is no such program. */
export async function hasStarted(child: ChildProcess): Promise<boolean> {
  try {
    await once(child, "spawn")
    return true
  } catch {
    return false
  }
}

/** False when it ends before it does. */
export async function listens(child: ChildProcess, port: number): Promise<boolean> {
  while (child.exitCode === null) {
    const socket = net.connect({ host: "127.0.0.1", port })
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

/** Of its one thread: nanoseconds, so finer than the ticks of `stat`. */
export function busyTime(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[0]) / 1e6
}

/** Of all its threads that there are; undefined where the system does not say. */
export function busyTimeOfAll(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`)
    return threads.reduce((sum, file) => sum + Number(readFileSync(file, "latin1").split(" ")[0]) / 1e6, 0)
  } catch {
    return undefined
  }
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}
