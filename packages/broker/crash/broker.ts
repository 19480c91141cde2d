// A started broker, from its start to its end, and what of its log is a finding.

import { Program, type ProgramOptions, puremq } from "../hostile/programs.ts"

/** Milliseconds that a start may take, or an end. */
const patience = 60_000

/** Lines of the log that tell of something. */
const telling = /^\S+ (warning|error|fault|store failed) .*$/gm
/** A turn that was not finished when it was killed. */
const cutOff = /: \d+ bytes of a turn that was not finished are cut off at offset \d+/

export interface BrokerOptions extends ProgramOptions {
  /** Its program. */
  readonly file: string
  readonly args: readonly string[]
  /** Lines of the log that are as they should be. */
  readonly expected?: RegExp | undefined
}

export class StartedBroker {
  readonly startedAt: number = performance.now()
  readonly program: Program
  readonly #expected: RegExp | undefined
  /** It was ended by us. */
  #ended = false

  constructor({ file, args, expected, ...options }: BrokerOptions) {
    this.program = new Program(file, ["start", "--tcp", "127.0.0.1:0", "--no-tls", ...args], options)
    this.#expected = expected
    // Whoever ends us ends it.
    const end = () => this.program.child.kill("SIGKILL")
    process.once("exit", end)
    void this.program.ended.then(() => process.off("exit", end))
  }

  /** Its port, when it listens; undefined when it does not. */
  async port(): Promise<number | undefined> {
    const match = await this.program.prints(/listening.*tcp on 127\.0\.0\.1:(\d+)/, patience)
    return match && Number(match[1])
  }

  get isOver(): boolean {
    return this.#ended || !this.program.alive
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#ended ||= this.program.alive
    this.program.child.kill("SIGKILL")
    await this.program.ended
  }

  /** As its owner ends it. */
  async stop(): Promise<void> {
    this.#ended ||= this.program.alive
    this.program.child.kill("SIGTERM")
    if (!(await this.program.endsWithin(patience))) await this.kill()
  }

  /** What it said and did that it must not, once it has ended. */
  *findings(): Generator<string> {
    const { program } = this
    if (!this.#ended) yield `the broker ends by itself: ${program.end}: ${lastOf(program.log)}`
    for (const [line] of program.output.matchAll(telling)) {
      if (!cutOff.test(line) && !this.#expected?.test(line)) yield `the broker says: ${line.slice(0, 500)}`
    }
    if (program.errors !== "") yield `the broker says: ${lastOf(program.errors)}`
  }
}

/** Reads all of the store in a folder; why it is not good. */
export async function checkStore(directory: string): Promise<string | undefined> {
  const program = new Program(puremq, ["store", "check", directory])
  await program.ended
  return program.status === 0 ? undefined : `puremq store check: ${program.end}: ${lastOf(program.log)}`
}

function lastOf(text: string): string {
  return text.trim().slice(-500).replaceAll("\n", " | ")
}
