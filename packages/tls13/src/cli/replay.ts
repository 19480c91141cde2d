// `tls13 replay`: a recorded connection, run again.

import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { basename, resolve } from "node:path"
import { chooseProvider } from "../adapters/node/provider.ts"
import { quotedText, visibleText } from "../bytes/text.ts"
import { RecordingError, Replay, type ReplayOptions, type ReplayStep, redact } from "../recording/index.ts"
import { type Detail, describe } from "../trace/words.ts"
import { CommandError, readTextFile, reasonOf } from "./arguments.ts"
import { type Arguments, readArguments, UsageError } from "./command-line.ts"
import { replayCommand } from "./commands.ts"
import type { Terminal } from "./connect.ts"
import { traceDetail } from "./tls-options.ts"

/** The exit status: whether every byte is the same. @throws UsageError, CommandError */
export async function replay(args: readonly string[], terminal: Terminal): Promise<0 | 1> {
  const read = readArguments(replayCommand, args)
  const [path, ...more] = read.positionals
  if (path === undefined || more.length > 0) throw new UsageError('give one FILE; see "tls13 replay --help"')
  const redacted = read.text("redact")
  refuseTogether(read)
  if (redacted !== undefined && resolve(redacted) === resolve(path))
    throw new UsageError("--redact OUT would be written over the recording; name another file")
  const text = readTextFile(path, "wanted is what --record has written")
  const options: ReplayOptions = { provider: chooseProvider() }
  try {
    if (redacted !== undefined) {
      write(redacted, redact(text, options))
      return 0
    }
    if (read.flag("test")) {
      terminal.output.write(testOf(path, new Replay(text, options)))
      return 0
    }
    return await tell(new Replay(text, options), traceDetail(read), terminal, read.flag("step"))
  } catch (error) {
    if (error instanceof RecordingError) throw new CommandError(`${path}: ${error.message}`)
    throw error
  }
}

/** What tells nothing goes with nothing else. @throws UsageError */
function refuseTogether(read: Arguments): void {
  const isGiven = {
    redact: read.text("redact") !== undefined,
    test: read.flag("test"),
    step: read.flag("step"),
    trace: read.flag("trace"),
  }
  const [one, other] = Object.entries(isGiven).flatMap(([name, given]) => (given ? [name] : []))
  if (other !== undefined && (isGiven.redact || isGiven.test))
    throw new UsageError(`--${one} and --${other} exclude each other`)
}

/** @throws CommandError */
function write(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new CommandError(`${path} cannot be written: ${reasonOf(error)}`)
  }
}

async function tell(run: Replay, detail: Detail, { output, input }: Terminal, waits: boolean): Promise<0 | 1> {
  // The file is anybody's.
  const say = (line: string) => output.write(`${visibleText(line, "\n")}\n`)
  say(`a ${run.role}'s connection of ${new Date(run.started).toISOString()}`)
  let [calls, bytes] = [0, 0]
  for (let step = run.next(); step !== undefined; step = run.next()) {
    calls++
    bytes += step.output.length
    for (const line of stepLines(step, run.started, detail)) say(line)
    if (waits && !input.readableEnded) await Promise.race([once(input, "data"), once(input, "end")])
  }
  if (run.cut !== undefined) say(`the recording ends here: ${run.cut}`)
  const { difference } = run
  if (difference === undefined) {
    say(`the same: ${calls} calls, ${bytes} bytes of output`)
    return 0
  }
  say(`ANOTHER than was recorded, in line ${difference.line} (${difference.call}): ${difference.message}`)
  return 1
}

function stepLines({ line, call, now, given, asked, traced, ...came }: ReplayStep, started: number, detail: Detail) {
  const when = now === undefined ? "" : ` at ${Math.round(now - started)} ms`
  const lines = [`line ${line}: ${call}${given === undefined ? "" : ` of ${given} bytes`}${when}`]
  const noted = (text: string) => lines.push(text.replace(/^/gm, "    "))
  for (const event of traced) noted(describe(event, detail))
  for (const { what, answered } of asked) {
    if (what !== "random") noted(`asked ${what}${answered === "at once" ? "" : `, which is answered ${answered}`}`)
  }
  const { output, events, waitsFor, threw } = came
  if (events.length > 0) noted(`told: ${events.map(({ type }) => type).join(", ")}`)
  for (const event of events) if (event.type === "failed") noted(`it failed: ${event.error.message}`)
  if (threw !== undefined) noted(`it was refused: ${threw}`)
  if (output.length > 0) noted(`gave ${output.length} bytes to send`)
  if (waitsFor !== undefined && waitsFor !== "bytes") noted(`waits for ${waitsFor}`)
  return lines
}

/** A test that runs the file, which lies beside it. */
function testOf(path: string, { role, started }: Replay): string {
  return `import { readFileSync } from "node:fs"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { replay } from "@puremq/tls13/recording"
import { expect, it } from "vitest"

it("the ${role}'s connection of ${new Date(started).toISOString()} is the same again", () => {
  const recording = readFileSync(new URL(${quotedText(basename(path))}, import.meta.url), "latin1")
  expect(replay(recording, { provider: createFastProvider() }).difference).toBeUndefined()
})
`
}
