#!/usr/bin/env node
import { visibleText } from "../bytes/text.ts"
import { run } from "./run.ts"

/** Bytes that wait for a slow reader of what is told at most: lines beyond it are left out. */
const mostWaiting = 1024 * 1024

const say = (line: string): void => {
  // Traces and stacks have several lines; where a peer's line ends could be among them they are escaped before.
  if (process.stderr.writableLength <= mostWaiting) process.stderr.write(`${visibleText(line, "\n")}\n`)
}

const status = (line: string): void => {
  // Some terminals say 0.
  const width = (process.stderr.columns || 80) - 1
  process.stderr.write(`\r\x1b[K${visibleText(line).slice(0, width)}`)
}

// A reader that has seen enough (`| head`) is no failure. A server goes on for its clients, whoever reads.
const [command, ...rest] = process.argv.slice(2)
const serves = command === "serve" && !rest.includes("--help") && !rest.includes("-h")
process.stderr.on("error", () => undefined)
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (serves) return
  if (error.code === "EPIPE") process.exit(0)
  say(`tls13: cannot write the output: ${error.code ?? error.message}`)
  process.exit(1)
})

process.exitCode = await run(
  process.argv.slice(2),
  {
    input: process.stdin,
    output: process.stdout,
    columns: process.stdout.columns,
    say,
    ...(process.stderr.isTTY && { status }),
  },
  process.stdout.isTTY === true && !process.env["NO_COLOR"],
)
