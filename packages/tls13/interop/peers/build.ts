// What a peer is made of once in a run: programs that are compiled, packages that are installed.

import { mkdirSync } from "node:fs"
import { inPeers } from "../files.ts"
import { Program, type ProgramOptions } from "../program.ts"
import { Absent } from "../table.ts"

const builds = new Map<string, Promise<void>>()

/** Once in a run. @throws Absent */
export function build(
  what: string,
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<void> {
  const begun = builds.get(what) ?? builds.set(what, run(what, program, args, options)).get(what)!
  return begun
}

async function run(what: string, program: string, args: readonly string[], options: ProgramOptions): Promise<void> {
  mkdirSync(inPeers(), { recursive: true })
  const step = new Program(program, args, options)
  step.endInput()
  if ((await step.ended) !== 0) throw new Absent(`${what}: ${step.tail(1).slice(0, 200)}`)
}
