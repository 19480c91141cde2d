// Programs that runtimes run: started with what they are lent, and read line by line.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"

/** What a program may take, in milliseconds. */
const patience = 180_000

/** @returns the lines that it printed. @throws Error when it fails, with all that it said */
export async function runProgram(command, args, { folder, setting }) {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", PUREMQ_SETTING: JSON.stringify(setting) },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: patience,
  })
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  const [status, signal] = await once(child, "close")
  if (status !== 0) throw new Error(`ended with ${signal ?? status}: ${out().slice(-2000)}${err().slice(-2000)}`)
  return out().trim().split("\n")
}

/** Runs a program whose lines are JSON, each a result. */
export async function runSuite(command, args, world) {
  const lines = await runProgram(command, args, world)
  return lines.map((line) => JSON.parse(line))
}

export function collect(stream) {
  let text = ""
  stream.on("data", (data) => {
    text += data
  })
  return () => text
}

/** A port on 127.0.0.1 that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address()
  server.close()
  await once(server, "close")
  return port
}
