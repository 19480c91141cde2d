// Tables of real runs: a peer is a row, a feature a column, a cell a run.

import { Run } from "./program.ts"

/** A run that must not throw, with what it does not show if need be, or why this peer cannot have one. */
export type Cell = CellRun | { readonly run: CellRun; readonly but: string } | { readonly not: string }
type CellRun = (run: Run) => Promise<void>

export interface Row {
  readonly name: string
  /** The peer's version. @throws Absent when it is not here */
  readonly version: () => Promise<string>
  readonly cells: Readonly<Record<string, Cell>>
  /** What all cells share; it ends with the last. When it throws, every cell has failed. */
  readonly before?: (run: Run) => Promise<void>
  /** Cells at a time; default 1. */
  readonly atOnce?: number
  /** How long a cell may take; default 30,000. */
  readonly milliseconds?: number
}

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

/** A peer that is not installed, and where it would come from. */
export class Absent extends Error {
  override readonly name = "Absent"
}

export interface RowResult {
  readonly table: Table
  readonly row: Row
  readonly version: string | undefined
  readonly absent: string | undefined
  /** By column: undefined for a cell that passed, else what went wrong. */
  readonly cells: ReadonlyMap<string, string | undefined>
}

/** How long a cell may take, in milliseconds. */
const cellTime = 90_000

export interface RunOptions {
  /** Rows at a time. */
  readonly jobs: number
  readonly only: string
  readonly verbose: boolean
  readonly say: (line: string) => void
}

export async function runTables(tables: readonly Table[], options: RunOptions): Promise<RowResult[]> {
  const waiting = tables.flatMap((table) =>
    table.rows.map((row) => ({ table, row })).filter(({ row }) => matches(`${table.title} ${row.name}`, options.only)),
  )
  const order = new Map(waiting.map(({ row }, i) => [row, i]))
  const results: RowResult[] = []
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      results.push(await runRow(next.table, next.row, options))
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, work))
  return results.sort((a, b) => order.get(a.row)! - order.get(b.row)!)
}

function matches(name: string, only: string): boolean {
  return name.toLowerCase().includes(only.toLowerCase())
}

async function runRow(table: Table, row: Row, options: RunOptions): Promise<RowResult> {
  const cells = new Map<string, string | undefined>()
  let version: string
  try {
    version = await row.version()
  } catch (error) {
    if (!(error instanceof Absent)) throw error
    options.say(`skipped  ${row.name}: ${error.message}`)
    return { table, row, version: undefined, absent: error.message, cells }
  }
  const common = new Run()
  running.add(common)
  const broken = await before(row, common)
  const columns = table.columns.values()
  const work = async () => {
    for (const column of columns) {
      const cell = row.cells[column]
      if (cell === undefined || "not" in cell) continue
      const begun = performance.now()
      const problem = broken ?? (await runCell("run" in cell ? cell.run : cell, row.milliseconds ?? cellTime, options))
      cells.set(column, problem)
      const seconds = ((performance.now() - begun) / 1000).toFixed(1)
      options.say(`${problem === undefined ? "ok     " : "FAILED "}  ${row.name}: ${column} (${seconds} s)`)
      if (problem !== undefined) options.say(`         ${problem}`)
    }
  }
  await Promise.all(Array.from({ length: row.atOnce ?? 1 }, work))
  await common.finish()
  running.delete(common)
  return { table, row, version, absent: undefined, cells }
}

/** What went wrong, if anything did. */
async function before(row: Row, common: Run): Promise<string | undefined> {
  try {
    await row.before?.(common)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const running = new Set<Run>()

/** Ends what the cells of the moment started: for a run that is interrupted. */
export async function finishAll(): Promise<void> {
  await Promise.all([...running].map((run) => run.finish()))
}

async function runCell(
  cell: (run: Run) => Promise<void>,
  time: number,
  { verbose, say }: RunOptions,
): Promise<string | undefined> {
  const run = new Run()
  running.add(run)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const tails = run.programs.map((program) => `[${program.command.slice(0, 60)}] ${program.tail(2)}`)
      reject(new Error(`not done after ${time / 1000} s: ${tails.join(" ")}`))
    }, time)
  })
  try {
    await Promise.race([cell(run), late])
    return undefined
  } catch (error) {
    if (verbose) for (const { command, log } of run.programs) say(`--- ${command}\n${log.slice(-6000)}`)
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
    await run.finish()
    running.delete(run)
  }
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Each run cell counts, and each row whose peer is absent. */
export function count(results: readonly RowResult[]): Counts {
  const problems = results.flatMap(({ cells }) => [...cells.values()])
  const failed = problems.filter((problem) => problem !== undefined).length
  return {
    passed: problems.length - failed,
    failed,
    skipped: results.filter(({ absent }) => absent !== undefined).length,
  }
}

export function toMarkdown(results: readonly RowResult[]): string {
  const lines: string[] = []
  for (const table of new Set(results.map((result) => result.table))) {
    const rows = results.filter((result) => result.table === table)
    const notes: string[] = []
    lines.push(`## ${table.title}`, "")
    lines.push(`| peer | version | ${table.columns.join(" | ")} |`)
    lines.push(`|${"---|".repeat(table.columns.length + 2)}`)
    for (const { row, version, absent, cells } of rows) {
      const texts = table.columns.map((column) => cellText(column, row, cells, notes))
      lines.push(`| ${row.name} | ${version ?? `not here: ${absent}`} | ${texts.join(" | ")} |`)
    }
    lines.push("")
    if (notes.length > 0) lines.push(...notes.map((note, i) => `${i + 1}. ${note}`), "")
  }
  return lines.join("\n")
}

function cellText(column: string, row: Row, cells: RowResult["cells"], notes: string[]): string {
  const cell = row.cells[column]
  const note = (text: string) => (notes.includes(text) ? notes.indexOf(text) + 1 : notes.push(text))
  if (cells.has(column)) {
    if (cells.get(column) !== undefined) return "**NO**"
    return cell !== undefined && "but" in cell ? `yes (${note(cell.but)})` : "yes"
  }
  return cell !== undefined && "not" in cell ? `- (${note(cell.not)})` : ""
}
