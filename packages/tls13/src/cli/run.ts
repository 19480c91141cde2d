import { visibleText } from "../bytes/text.ts"
import { CommandError } from "./arguments.ts"
import { commandOf, generalHelpOf, helpOf, UsageError, versionOf } from "./command-line.ts"
import { program } from "./commands.ts"
import type { Terminal } from "./connect.ts"

/** Runs a command line; gives its exit status. `serve` goes on after that. */
export async function run(args: readonly string[], terminal: Terminal, colour: boolean = false): Promise<number> {
  try {
    return await dispatch(args, terminal, colour)
  } catch (error) {
    terminal.say(`tls13: ${visibleText(textOf(error), "\n")}`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function dispatch(args: readonly string[], terminal: Terminal, colour: boolean): Promise<number> {
  const [command, ...rest] = args
  if (command === undefined || ["help", "--help", "-h"].includes(command)) {
    terminal.output.write(generalHelpOf(program))
    return command === undefined ? 2 : 0
  }
  if (command === "version" || command === "--version") {
    terminal.output.write(versionOf(program))
    return 0
  }
  const help = helpOf(commandOf(program, command))
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.output.write(help)
    return 0
  }
  // Each command loads what it needs: a help text needs none of it.
  switch (command) {
    case "connect":
      await (await import("./connect.ts")).connect(rest, terminal)
      return 0
    case "bench":
      return (await import("./bench/bench.ts")).bench(rest, terminal)
    case "inspect":
      return (await import("./inspect.ts")).inspect(rest, terminal, colour)
    case "replay":
      return (await import("./replay.ts")).replay(rest, terminal)
    case "ech-key":
      ;(await import("./ech-key.ts")).echKey(rest, terminal)
      return 0
    case "delegate":
      ;(await import("./delegate.ts")).delegate(rest, terminal)
      return 0
    default:
      await (await import("./serve.ts")).serve(rest, terminal)
      return 0
  }
}

/** One line for what a person can mend; a stack only for what is our fault. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const expected = error instanceof UsageError || error instanceof CommandError || "kind" in error || "code" in error
  return (expected ? error.message.split("\n")[0] : error.stack) ?? String(error)
}
