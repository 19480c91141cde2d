#!/usr/bin/env node
import { visible } from "../admin/visible.ts"
import { ConfigError } from "../config/config.ts"
import { ListenError } from "../transport/listener.ts"
import { UsageError } from "./arguments.ts"
import { certHelp, generalHelp, passwdHelp, pubHelp, startHelp, subHelp } from "./help.ts"
import { ClientError } from "./mqtt-client.ts"
import { endQuietly, ignoreErrors } from "./output.ts"

const helps: Readonly<Record<string, string>> = {
  start: startHelp,
  cert: certHelp,
  pub: pubHelp,
  sub: subHelp,
  passwd: passwdHelp,
}

/** They say themselves what a reader that goes away means. */
const ownOutput = ["start", "sub"]

const print = (line: string) => process.stdout.write(`${line}\n`)

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  if (command === undefined || command === "help" || command === "--help") {
    process.stdout.write(generalHelp)
    return command === undefined ? 2 : 0
  }
  const help = Object.hasOwn(helps, command) ? helps[command] : undefined
  if (help === undefined) throw new UsageError(`unknown command ${command}; see "puremq --help"`)
  if (rest.includes("--help")) {
    process.stdout.write(help)
    return 0
  }
  // Each command loads what it needs: a help text needs none of it.
  switch (command) {
    case "start":
      await (await import("./start.ts")).start(rest)
      return 0
    case "cert":
      await import("./cert.ts").then(({ cert }) => cert(rest, print))
      return 0
    case "pub":
      await (await import("./pub.ts")).pub(rest)
      return 0
    case "passwd":
      await (await import("./passwd.ts")).passwd(rest, print)
      return 0
    default:
      return (await import("./sub.ts")).sub(rest)
  }
}

/** One line for what a person can mend; a stack only for what is our fault. */
function report(error: unknown): number {
  const expected =
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof ListenError ||
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
const [command = "", ...given] = process.argv.slice(2)
if (!ownOutput.includes(command) || given.includes("--help"))
  endQuietly(process.stdout, (why) => tell(`cannot write the output: ${why}`))

process.exitCode = await main(process.argv.slice(2)).catch(report)
