import { once } from "node:events"
import { fstatSync } from "node:fs"
import { readArguments, UsageError } from "@puremq/tls13/command-line"
import type { Change } from "../packet/change.ts"
import { StoreError } from "../stores/folder.ts"
import type { ImageCounts } from "../stores/image.ts"
import { openFileStore, readFileStore, writeFileStore } from "../stores/node-files.ts"
import { changeOf, type End, lineOf } from "./change-lines.ts"
import { storeCommand } from "./commands.ts"
import { linesOf } from "./input-lines.ts"

export async function store(args: readonly string[], print: (line: string) => void): Promise<void> {
  const options = readArguments(storeCommand, args)
  const [action, directory, extra] = options.positionals
  const hint = 'see "puremq store --help"'
  if (action === undefined || directory === undefined || extra !== undefined) {
    throw new UsageError(`expected check, export, import or compact, and FOLDER; ${hint}`)
  }
  const upToDamage = options.flag("up-to-damage")
  if (upToDamage && action !== "export") throw new UsageError(`--up-to-damage is for export; ${hint}`)
  const incomplete = options.flag("incomplete")
  if (incomplete && action !== "import") throw new UsageError(`--incomplete is for import; ${hint}`)
  switch (action) {
    case "check":
      return check(directory, print)
    case "export":
      return exportLines(directory, upToDamage)
    case "import": {
      const input = new Input(incomplete)
      const left = new LeftOut()
      const leaveOut = incomplete ? (change: Change, problem: string) => left.add(change, problem) : undefined
      const counts = await writeFileStore(directory, input.changes(), () => input.where, leaveOut)
      print(`${directory} has ${wordsOf(counts)}`)
      if (left.first !== undefined) print(left.words)
      return
    }
    case "compact":
      return compact(directory, print)
    default:
      throw new UsageError(`${action} is none of check, export, import and compact; ${hint}`)
  }
}

async function check(directory: string, print: (line: string) => void): Promise<void> {
  const { files, bytes, counts, torn, lost } = await readFileStore(directory, false)
  const whole = lost === undefined ? "is whole" : "is whole up to where power was lost"
  print(`${directory} ${whole}: ${many(files, "file")}, ${bytes} bytes, with ${wordsOf(counts)}`)
  if (torn > 0)
    print(`${torn} bytes at its end are a turn that was not finished; the broker cuts them off when it starts`)
  if (lost !== undefined) print(`${lost}; the broker removes them when it starts`)
  if (counts.missing > 0)
    throw new StoreError(`${directory} has ${many(counts.missing, "reference")} to messages that are not there`)
}

async function exportLines(directory: string, upToDamage: boolean): Promise<void> {
  let lines = 0
  const write = (line: string) => (process.stdout.write(`${line}\n`) ? undefined : drained())
  const { damage, lost } = await readFileStore(directory, upToDamage, (change) => {
    lines++
    return write(lineOf(change))
  })
  // What is left of a damaged store is not all that it had.
  if (damage === undefined) await write(lineOf({ type: "end", lines }))
  if (lost !== undefined) process.stderr.write(`puremq: ${lost}\n`)
  if (damage !== undefined)
    throw new StoreError(`what comes before it was written: ${damage.message.replace(/; .*/, "")}`)
}

async function drained(): Promise<void> {
  await once(process.stdout, "drain")
}

/** Bytes: a message with the largest payload that MQTT has, in base64, and what stands beside it. */
const longestLine = 360_000_000

/** What `export` has written. */
class Input {
  readonly #incomplete: boolean
  /** The number of the line that came last. */
  #number = 0
  #end: End | undefined

  /** @param incomplete that lines are missing, or which, is not asked for */
  constructor(incomplete: boolean) {
    this.#incomplete = incomplete
  }

  /** What came last. */
  get where(): string {
    return `line ${this.#number} of the input`
  }

  async *changes(): AsyncGenerator<Change, void, undefined> {
    // Node takes it for an input without anything in it.
    if (fstatSync(0).isDirectory()) throw new StoreError("cannot read the input: it is a folder")
    let lines = 0
    const next = () => `line ${this.#number + 1} of the input`
    for await (const line of linesOf(process.stdin, longestLine, next)) {
      this.#number++
      if (line.trim() === "") continue
      const content = this.#read(line)
      if (this.#end !== undefined) throw new StoreError(`${this.where} comes after its end line`)
      if (content.type === "end") this.#end = content
      else {
        lines++
        yield content
      }
    }
    if (!this.#incomplete) this.#checkEnd(lines)
  }

  #read(line: string): Change | End {
    try {
      return changeOf(line)
    } catch (error) {
      if (error instanceof StoreError) throw new StoreError(`${this.where}: ${error.message}`)
      throw error
    }
  }

  #checkEnd(lines: number): void {
    const remedy = "export it again, or take it as it is with --incomplete"
    if (this.#end === undefined)
      throw new StoreError(`the input has no end line: it is cut short, or of an older puremq; ${remedy}`)
    if (this.#end.lines !== lines)
      throw new StoreError(`the input has ${many(lines, "line")}, and had ${this.#end.lines}; ${remedy}`)
  }
}

/** Lines that refer to what none before them has. */
class LeftOut {
  readonly #types: Map<string, number> = new Map()
  first: string | undefined

  add({ type }: Change, problem: string): void {
    this.first ??= problem
    this.#types.set(type, (this.#types.get(type) ?? 0) + 1)
  }

  get words(): string {
    const lines = [...this.#types.values()].reduce((sum, count) => sum + count, 0)
    const types = [...this.#types].map(([type, count]) => `${count} "${type}"`).join(", ")
    return `left out: ${many(lines, "line")} (${types}) that refer to what is not there; the first is ${this.first}`
  }
}

async function compact(directory: string, print: (line: string) => void): Promise<void> {
  const { bytes } = await readFileStore(directory, false)
  const opened = await openFileStore({ directory, onNote: print })
  try {
    await opened.compact()
    print(`${directory} has ${opened.size} bytes, and had ${bytes}`)
  } finally {
    await new Promise<void>((resolve) => opened.close().onAnswer(resolve))
  }
}

function wordsOf({ sessions, subscriptions, messages, queued, retained, wills }: ImageCounts): string {
  const deliveries = `${queued} on their way to clients`
  const [whose, what] = [
    `${many(sessions, "session")}, ${many(subscriptions, "subscription")}`,
    many(messages, "message"),
  ]
  return `${whose}, ${what} (${deliveries}, ${retained} retained) and ${many(wills, "will")}`
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`
}
