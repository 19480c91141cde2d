#!/usr/bin/env node
import { run } from "./run.ts"

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
  process.exit(0)
})

process.exitCode = await run(
  process.argv.slice(2),
  {
    input: process.stdin,
    output: process.stdout,
    columns: process.stdout.columns,
    say: (line) => process.stderr.write(`${line}\n`),
  },
  process.stdout.isTTY === true && !process.env["NO_COLOR"],
)
