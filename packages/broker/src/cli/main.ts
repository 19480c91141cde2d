#!/usr/bin/env node
import { type Command, commandOf, generalHelpOf, helpOf, UsageError, versionOf } from "@puremq/tls13/command-line"
import { visible } from "../admin/visible.ts"
import { ConfigError } from "../config/config.ts"
import { ListenError } from "../listen/listener.ts"
import { StoreError } from "../stores/folder.ts"
import { ClientError } from "./client/errors.ts"
import { program } from "./commands.ts"
import { endQuietly, ignoreErrors } from "./output.ts"

/** They say themselves what a reader that goes away means. */
const ownOutput = ["start", "sub"]
/** They know --quiet. */
const clients = ["pub", "sub", "rr"]

const print = (line: string) => process.stdout.write(`${line}\n`)

async function main([command, ...rest]: readonly [string, ...string[]]): Promise<number> {
  if (command === "help" || command === "--help" || command === "-h") {
    process.stdout.write(generalHelpOf(program))
    return 0
  }
  if (command === "version" || command === "--version") {
    process.stdout.write(versionOf(program))
    return 0
  }
  const help = helpOf(commandOf(program, command))
  if (asksForHelp(program.commands[command], rest)) {
    process.stdout.write(help)
    return 0
  }
  // Each command loads what it needs: a help text needs none of it.
  switch (command) {
    case "start":
      await (await import("./start.ts")).start(rest)
      return 0
    case "check-config":
      await import("./check-config.ts").then(({ checkConfig }) => checkConfig(rest, print))
      return 0
    case "completions":
      await import("./completions.ts").then(({ completions }) => completions(rest, print))
      return 0
    case "health":
      return await (await import("./health.ts")).health(rest, print, tell)
    case "import":
      return await (await import("./import.ts")).importConfig(rest, print, tell)
    case "cert":
      await (await import("./cert.ts")).cert(rest, print)
      return 0
    case "pub":
      await (await import("./pub.ts")).pub(rest)
      return 0
    case "bench":
      return (await import("./bench/bench.ts")).bench(rest)
    case "passwd":
      await (await import("./passwd.ts")).passwd(rest, print)
      return 0
    case "top":
      await (await import("./top.ts")).top(rest)
      return 0
    case "token":
      await (await import("./token.ts")).token(rest, print)
      return 0
    case "rr":
      return (await import("./rr.ts")).rr(rest)
    case "store":
      await (await import("./store.ts")).store(rest, print)
      return 0
    default:
      return (await import("./sub.ts")).sub(rest)
  }
}

/** Options alone are those of the broker: `npx @puremq/broker` starts it. */
function withCommand(args: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = args
  const isCommand = first !== undefined && (!first.startsWith("-") || ["--help", "-h", "--version"].includes(first))
  return isCommand ? [first, ...rest] : ["start", ...args]
}

/** Of the clients -h is the host, as Mosquitto's. */
function asksForHelp(command: Command | undefined, args: readonly string[]): boolean {
  const sections = command?.sections ?? []
  const isOption = sections.some(({ rows }) => rows.some(({ short }) => short === "h"))
  return args.includes("--help") || (!isOption && args.includes("-h"))
}

/** One line for what a person can mend; a stack only for what is our fault. */
function report(error: unknown): number {
  if (isQuiet && error instanceof ClientError) return 1
  const expected =
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof ListenError ||
    error instanceof StoreError ||
    error instanceof ClientError ||
    (error instanceof Error && "code" in error)
  if (expected) tell(error.message.split("\n")[0] ?? "")
  else tell(String(error instanceof Error ? error.stack : error))
  return error instanceof UsageError ? 2 : 1
}

function tell(text: string): void {
  process.stderr.write(`puremq: ${visible(text, "\n")}\n`)
}

ignoreErrors(process.stderr)
const words = withCommand(process.argv.slice(2))
const [command, ...given] = words
const isQuiet = clients.includes(command) && given.includes("--quiet")
if (!ownOutput.includes(command) || asksForHelp(program.commands[command], given))
  endQuietly(process.stdout, (why) => tell(`cannot write the output: ${why}`))

process.exitCode = await main(words).catch(report)
