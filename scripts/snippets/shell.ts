// Runs the command lines of a page as a reader would: what goes on until Ctrl-C stays, the rest is tried until it succeeds.

import { spawn, spawnSync } from "node:child_process"
import { join } from "node:path"

/** Programs of others that our pages show: those that a machine does not have are not tried there. */
const foreign = ["curl", "mosquitto_pub", "mosquitto_sub", "openssl"]

export interface Place {
  readonly root: string
  /** The reader's folder. */
  readonly folder: string
  /** The port that stands for 8883. */
  readonly brokerPort: number
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** Until it is stopped. */
  readonly lasts: boolean
}

/** Command lines without their comments. */
export function commandsOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/(^|\s)#\s.*$/, "").trim()).filter((line) => line !== "")
}

/** Words of a command line, as a shell has them when there are quotes and nothing else in it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare!)
}

/** @throws Error for a command that nobody can try here */
export function commandOf(line: string, ports: ReadonlyMap<string, string>, { root, brokerPort }: Place): Command {
  const [name = "", ...words] = wordsOf(line)
  const args = words.map((word) => word.replace(/\b\d{4}\b/g, (number) => ports.get(number) ?? number))
  const ours = (file: string, given: readonly string[], lasts: boolean): Command => ({
    program: process.execPath,
    args: [join(root, "packages", file), ...given],
    lasts,
  })
  if (name === "npm" && args[0] === "start") return ours(...broker(["start", ...args.slice(2)], brokerPort))
  const isScript = name === "npm" && args[0] === "run" && args[2] === "--"
  const [typed, ...rest] = name === "npx" ? args : isScript ? args.filter((_, i) => i !== 0 && i !== 2) : []
  if (typed === "puremq" || typed === "@puremq/broker") return ours(...broker(rest, brokerPort))
  if (typed === "tls13") {
    const lasts = rest[0] === "serve"
    return ours(
      "tls13/bin/tls13.js",
      lasts ? [...rest, ports.get("4433")!] : rest[0] === "bench" ? short(rest) : rest,
      lasts,
    )
  }
  if (foreign.includes(name)) return { program: name, args, lasts: name === "mosquitto_sub" }
  throw new Error(`${line}: this can be tried by nobody; say why with "not run"`)
}

/** Its port is 8883 where it is not said; `bench` always says it, and `cert` has none. */
function broker(args: readonly string[], port: number): [file: string, args: string[], lasts: boolean] {
  const [name = ""] = args
  if (name === "bench") return ["broker/bin/puremq.js", short(args), false]
  if (name === "cert") return ["broker/bin/puremq.js", [...args], false]
  const where = ["start", ""].includes(name) ? ["--tls", `${port}`] : ["-p", `${port}`]
  return ["broker/bin/puremq.js", [...args, ...where], name !== "pub"]
}

/** A measurement whose length the page leaves open: what is tried here is that it is made and told, and a second is enough of it. */
function short(args: readonly string[]): string[] {
  const given = (...names: string[]) => names.some((name) => args.some((arg) => arg.split("=", 1)[0] === name))
  return [
    ...args,
    ...(given("--duration", "--count") ? [] : ["--duration", "1"]),
    ...(given("--warm-up") ? [] : ["--warm-up", "0.2"]),
  ]
}

export function isInstalled({ program }: Command): boolean {
  return program === process.execPath || spawnSync(program, ["--help"], { stdio: "ignore" }).error === undefined
}

/**
 * Runs them in their order.
 * @returns what is wrong; undefined: each that ends has succeeded, and all of `shows` was printed
 */
export async function runAll(
  commands: readonly Command[],
  shows: readonly string[],
  { folder }: Place,
): Promise<string | undefined> {
  const running = new Map<Command, ReturnType<typeof begin>>()
  let printed = ""
  const begin = (command: Command) => {
    const child = spawn(command.program, command.args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk))
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
    return { child, ended }
  }
  const end = Date.now() + 60_000
  const missing = () => shows.filter((text) => !printed.includes(text))
  try {
    // Those that last are ready when the others succeed, and have heard of them when what is to be shown is there.
    for (;;) {
      let failed: string | undefined
      for (const command of commands) {
        if (command.lasts) {
          // A reader waits for the broker before anything else.
          const before = running.get(command)
          if (before?.child.exitCode === null) continue
          running.set(command, begin(command))
          failed ??= before && `${command.args.join(" ")} has ended`
        } else if ((await begin(command).ended) !== 0) failed ??= `${command.program} ${command.args.join(" ")} fails`
      }
      if (failed === undefined && missing().length > 0) await new Promise((resolve) => setTimeout(resolve, 300))
      if (failed === undefined && missing().length === 0) break
      if (Date.now() > end) return `${failed ?? `not shown: ${missing().join(", ")}`}; what was:\n${printed}`
    }
    return undefined
  } finally {
    for (const { child } of running.values()) child.kill()
    await Promise.all([...running.values()].map(({ ended }) => ended))
  }
}
