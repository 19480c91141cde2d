import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { expect, it, vi } from "vitest"

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("./ending.ts", import.meta.url))],
  bundle: true,
  platform: "node",
  format: "esm",
  write: false,
})

/** Starts a program that runs on, says which it is, and waits or ends. */
const program = (then: string): string => `${outputFiles[0]!.text}
  import { spawn } from "node:child_process"
  const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" })
  const stop = endedWithUs(() => other.kill("SIGKILL"))
  endOnSignals()
  console.log(other.pid)
  ${then}`

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it.each([
  ["SIGTERM", "setInterval(() => {}, 1000)", 143],
  ["SIGINT", "setInterval(() => {}, 1000)", 130],
  [undefined, "throw new Error('broken')", 1],
  [undefined, "stop(); await new Promise((resolve) => other.once('exit', resolve)); process.exit(7)", 7],
] as const)("what was started does not outlive the bench: %s, %s", async (signal, then, expected) => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(then)], {
    stdio: ["ignore", "pipe", "ignore"],
  })
  const exit = once(child, "exit")
  const [text] = (await once(child.stdout, "data")) as [Buffer]
  const pid = Number(text)
  if (signal !== undefined) child.kill(signal)
  expect(await exit).toEqual([expected, null])
  await vi.waitFor(() => expect(isThere(pid)).toBe(false), { timeout: 10_000 })
})
