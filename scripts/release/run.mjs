// Programs that a release runs.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/** A check that cannot be made here, and why. */
export class Skipped extends Error {}

/** Throws that again; as a check that cannot be made here, where it is a registry that cannot be reached. */
export function skipUnreachable(error) {
  const [said] =
    /.*\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|error sending request)\b.*/.exec(error.message) ?? []
  throw said === undefined ? error : new Skipped(`no registry can be reached: ${said.trim()}`)
}

/** A program that runs, with all that it starts; `said()` is what it has printed so far. */
export function begin(program, args, { cwd = root, env = {} } = {}) {
  const child = spawn(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    detached: true,
  })
  let text = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      text += data
    })
  }
  const ended = once(child, "close").then(
    ([status, signal]) => signal ?? status,
    (error) => error.message,
  )
  // npx does not end what it has started when it is ended itself.
  const stop = () => {
    try {
      process.kill(-child.pid, "SIGTERM")
    } catch {
      // It has ended already.
    }
  }
  return { ended, said: () => text, stop }
}

/** Resolves with what it printed. @throws Error for any status but 0, with the end of that */
export async function run(program, args, { seconds = 240, ...options } = {}) {
  const running = begin(program, args, options)
  const timer = setTimeout(running.stop, seconds * 1000)
  const status = await running.ended
  clearTimeout(timer)
  if (status === 0) return running.said()
  throw new Error(`${program} ended with ${status}:\n${running.said().trimEnd().split("\n").slice(-30).join("\n")}`)
}
